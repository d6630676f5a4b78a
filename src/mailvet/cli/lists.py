"""`mailvet lists`: which lists hold a domain, and which lists there are."""

import argparse
from pathlib import Path

from mailvet.cli.lines import Asked, Found, NotUnderstood, answer_each, field, json_line
from mailvet.config import load
from mailvet.lists import inventory, load_lists, suggest
from mailvet.model.address import SyntaxFault
from mailvet.syntax import parse


def lists_tool(arguments: argparse.Namespace) -> int:
    """Print what the lists say of each domain or address; returns the exit code."""
    folder = load({"lists_dir": arguments.lists_dir}, arguments.config).lists_dir
    if arguments.all:
        return _print_all(folder, arguments)
    classify = load_lists(folder).classify

    def answer(asked: Asked) -> Found:
        name = field(asked, "domain", str, '{"domain": "example.com"}')
        local_part, _, domain = name.rpartition("@")
        parsed = parse(f"{local_part or 'x'}@{domain}")
        if isinstance(parsed, SyntaxFault):
            raise NotUnderstood(f"{name!r} is no domain: {parsed.reason}")
        known = classify(parsed.local_part, parsed.domain.ascii)
        return {
            "domain": name,
            "provider_type": known.provider_type.name,
            "is_disposable": known.is_disposable,
            "is_free": known.is_free,
            "is_masked": known.is_masked,
            "is_role_account": known.is_role_account,
            "lists": [hit._asdict() for hit in known.hits],
            "suggestions": list(suggest(parsed.local_part, parsed.domain.ascii)),
        }

    return answer_each(arguments, lambda text: {"domain": text}, answer)


def _print_all(folder: Path | None, arguments: argparse.Namespace) -> int:
    for one in inventory(load_lists(folder)):
        if arguments.json:
            print(json_line(one._asdict()))
        else:
            print(f"{one.name:<14} {one.row_count:>8,}  {one.date or '-':<10}  {one.source}")
    return 0
