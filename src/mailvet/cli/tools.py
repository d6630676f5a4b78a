"""`mailvet parse` and `mailvet provider`: what can be said of a name without asking anyone."""

import argparse

from mailvet.cli.lines import Asked, Found, NotUnderstood, answer_each, field
from mailvet.lists import load_lists, operator_of, suggest
from mailvet.model.address import SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax import check_provider_syntax, parse, suggest_form, tag_of


def parse_tool(arguments: argparse.Namespace) -> int:
    """`mailvet parse`: syntax, parts, list memberships and suggestions of addresses."""
    classify = load_lists(None).classify

    def answer(asked: Asked) -> Found:
        text = field(asked, "input", str, '{"input": "ann@example.com"}')
        parsed = parse(text)
        if isinstance(parsed, SyntaxFault):
            return _fault(text, parsed)
        local_part, domain = parsed.local_part, parsed.domain
        fault = check_provider_syntax(parsed)
        known = classify(local_part, domain.ascii)
        return {
            "input": text,
            "status": fault.status.name if fault else EntryStatus.SUCCESS.name,
            "syntax_failure_index": fault.index if fault else None,
            "reason": fault.reason if fault else None,
            "email_address": parsed.email,
            "local_part": local_part,
            "domain": domain.unicode,
            "ascii_domain": domain.ascii,
            "tag": tag_of(parsed),
            "is_disposable": known.is_disposable,
            "is_free": known.is_free,
            "is_masked": known.is_masked,
            "is_role_account": known.is_role_account,
            "provider_type": known.provider_type.name,
            "local_part_type": known.local_part_type.name,
            "suggestions": list(suggest(local_part, domain.ascii)),
        }

    return answer_each(arguments, lambda text: {"input": text}, answer)


def _fault(text: str, fault: SyntaxFault) -> Found:
    form = suggest_form(text)
    return {
        "input": text,
        "status": fault.status.name,
        "syntax_failure_index": fault.index,
        "reason": fault.reason,
        "email_address": None,
        "local_part": None,
        "domain": None,
        "ascii_domain": None,
        "tag": None,
        "is_disposable": False,
        "is_free": False,
        "is_masked": False,
        "is_role_account": False,
        "provider_type": None,
        "local_part_type": None,
        "suggestions": [form] if form else [],
    }


def provider_tool(arguments: argparse.Namespace) -> int:
    """`mailvet provider`: who runs the exchangers of a domain."""
    return answer_each(
        arguments, lambda text: {"mx_hosts": text.replace(",", " ").split()}, _operator
    )


def _operator(asked: Asked) -> Found:
    hosts = field(asked, "mx_hosts", list, '{"mx_hosts": ["mx1.example.com"]}')
    if not all(isinstance(host, str) for host in hosts):
        raise NotUnderstood("`mx_hosts` must be a list of names")
    operator = operator_of(hosts)
    return {
        "mx_hosts": hosts,
        "provider": operator.name if operator else None,
        "category": operator.category if operator else None,
    }
