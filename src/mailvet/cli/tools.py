"""Hand tools without a server: one mechanism each, one line out for each line in, order kept."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mailvet.cli.show import printable
from mailvet.errors import ConfigError
from mailvet.lists import load_lists, operator_of, suggest
from mailvet.model.address import SyntaxFault
from mailvet.model.reply import Reply, Stage
from mailvet.model.status import EntryStatus
from mailvet.smtp.meanings import meaning_of
from mailvet.syntax import check_provider_syntax, parse, suggest_form, tag_of

Answer = Callable[[Any], dict[str, Any]]


def parse_tool(arguments: argparse.Namespace) -> int:
    """`mailvet parse`: syntax, parts, list memberships and suggestions of addresses."""
    classify = load_lists(None).classify

    def answer(asked: Any) -> dict[str, Any]:
        text = asked["input"]
        if not isinstance(text, str):
            raise TypeError("`input` must be a string")
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

    return _answer_all(arguments, answer, lambda text: {"input": text})


def _fault(text: str, fault: SyntaxFault) -> dict[str, Any]:
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


def reply_tool(arguments: argparse.Namespace) -> int:
    """`mailvet reply`: what SMTP replies mean."""

    def answer(asked: Any) -> dict[str, Any]:
        code = int(asked["code"])
        reply = Reply(code, str(asked.get("text") or ""), asked.get("enhanced") or None)
        reading = meaning_of(reply, stage=Stage(asked.get("stage") or "RCPT"))
        return {"meaning": reading.meaning.value, "rule": reading.rule}

    def from_text(text: str) -> dict[str, Any]:
        code, _, said = text.replace("-", " ", 1).partition(" ")
        if not code.isdigit():
            raise ConfigError(f"{text!r} is no reply: it starts with a code, as in `550 5.1.1 no`")
        return {"code": code, "text": said}

    return _answer_all(arguments, answer, from_text)


def provider_tool(arguments: argparse.Namespace) -> int:
    """`mailvet provider`: who runs an exchanger."""

    def answer(asked: Any) -> dict[str, Any]:
        operator = operator_of([str(host) for host in asked["mx_hosts"]])
        return {
            "mx_hosts": asked["mx_hosts"],
            "provider": operator.name if operator else None,
            "category": operator.category if operator else None,
        }

    return _answer_all(arguments, answer, lambda text: {"mx_hosts": text.replace(",", " ").split()})


def mx_tool(arguments: argparse.Namespace) -> int:
    """`mailvet mx`: where mail for domains goes."""
    from mailvet.cli.probe import look_up

    names = list(_lines(arguments))
    if arguments.json and not arguments.inputs:
        names = [_loaded(name).get("domain", "") for name in names]
    for answer in look_up(names, arguments):
        _print(answer, arguments)
    return 0


def _answer_all(
    arguments: argparse.Namespace, answer: Answer, from_text: Callable[[str], dict[str, Any]]
) -> int:
    json_in = arguments.json and not arguments.inputs
    wrong = 0
    for text in _lines(arguments):
        try:
            found = answer(_loaded(text) if json_in else from_text(text))
        except (KeyError, TypeError, ValueError) as error:
            if not json_in:
                raise
            wrong += 1
            found = {"error": _told(error)}
        _print(found, arguments)
    return 1 if wrong else 0


def _told(error: Exception) -> str:
    return f"the field {error} is missing" if isinstance(error, KeyError) else str(error)


def _lines(arguments: argparse.Namespace) -> Iterable[str]:
    return iter(arguments.inputs) if arguments.inputs else _standard_input()


def _standard_input() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _loaded(line: str) -> Any:
    loaded = json.loads(line)
    if not isinstance(loaded, dict):
        raise TypeError("a line must be one JSON object")
    return loaded


def _print(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    width = max(len(name) for name in found)
    for name, value in found.items():
        if value not in (None, "", [], False):
            print(f"{name:<{width}}  {_shown(value)}")
    print()


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(printable(str(item)) for item in value)
    return printable(str(value))
