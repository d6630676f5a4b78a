"""`mailvet mx`: where mail for domains goes, as DNS says it."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

from mailvet.cli.lines import Asked, Found, NotUnderstood, field, print_found, questions
from mailvet.cli.remote import network_settings
from mailvet.lists import operator_of
from mailvet.loop import runner
from mailvet.model.address import SyntaxFault
from mailvet.mx import Resolver
from mailvet.serve.engine_room import build_resolver
from mailvet.syntax import parse

LOOK_UPS = 100
"""Domains asked about at once; their answers are printed together, in order."""


def mx_tool(arguments: argparse.Namespace) -> int:
    """Print where mail for each domain (or address) goes; returns the exit code."""
    asked = questions(arguments, lambda text: {"domain": text})
    by_hand = not arguments.inputs and sys.stdin.isatty()
    wrong = 0
    with runner() as loop:
        resolver = loop.run(_open(network_settings(arguments)))
        while block := list(islice(asked, 1 if by_hand else LOOK_UPS)):
            for found in loop.run(_look_up(resolver, block)):
                wrong += "error" in found
                print_found(found, arguments)
        loop.run(resolver.close())
    return 1 if wrong else 0


async def _open(settings: Any) -> Resolver:
    return build_resolver(settings)


async def _look_up(resolver: Resolver, block: Sequence[Asked]) -> list[Found]:
    return await asyncio.gather(*(_answer(resolver, asked) for asked in block))


async def _answer(resolver: Resolver, asked: Asked) -> Found:
    try:
        name = asked if "error" in asked else field(asked, "domain", str, '{"domain": "a.org"}')
    except NotUnderstood as error:
        return {"error": str(error)}
    return name if isinstance(name, dict) else await _route(resolver, name)


async def _route(resolver: Resolver, name: str) -> Found:
    parsed = parse(f"x@{name.rpartition('@')[2]}")
    if isinstance(parsed, SyntaxFault):
        return {"domain": name, "outcome": parsed.status.name, "reason": parsed.reason}
    answer = await resolver.mail_route(parsed.domain.ascii)
    operator = operator_of(answer.hosts) if answer.hosts else None
    return {
        "domain": name,
        "outcome": answer.outcome.value,
        "mx_hosts": list(answer.hosts),
        "exchangers": [
            {"host": one.host, "preference": one.preference, "addresses": list(one.addresses)}
            for one in answer.exchangers
        ],
        "provider": operator.name if operator else None,
        "category": operator.category if operator else None,
        "records": list(answer.records),
        "ttl_s": round(answer.ttl_s),
    }
