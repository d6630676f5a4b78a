"""`mailvet probe`: one address, step by step, as it happens; and the look-ups of `mailvet mx`."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from mailvet.cli.remote import EMBEDDED_PATIENCE_S, network_settings, run
from mailvet.cli.show import json_line, printable, result_dict
from mailvet.lists import operator_of
from mailvet.model.address import SyntaxFault
from mailvet.model.result import Result
from mailvet.model.route import MxAnswer
from mailvet.mx import Resolver
from mailvet.rpc.encode import encode_result
from mailvet.serve.engine_room import EngineRoom, build_resolver
from mailvet.smtp import Direction
from mailvet.store.memory import MemoryStore
from mailvet.syntax import parse
from mailvet.telemetry.logs import configure_logging
from mailvet.v1 import result_pb2

BUDGET_S = 120.0
"""By hand one waits: a slow exchanger may take its full session deadline."""
LOOK_UPS = 50
"""Domains that `mailvet mx` asks about at once."""


def probe_tool(arguments: argparse.Namespace) -> int:
    """Verify one address and show every step; returns the exit code."""
    configure_logging("error", "console")
    settings = network_settings(arguments, store=":memory:", egress_patience_s=EMBEDDED_PATIENCE_S)
    run(_probe(arguments, settings))
    return 0


async def _probe(arguments: argparse.Namespace, settings: Any) -> None:
    text = arguments.address
    show = _Steps(quiet=arguments.json)
    room = EngineRoom(settings, MemoryStore(), encode_result, on_line=show.line)
    room.start()
    try:
        parsed = parse(text)
        show.syntax(parsed)
        if not isinstance(parsed, SyntaxFault):
            show.dns(await room.resolver.mail_route(parsed.domain.ascii))
        (result,) = await room.realtime.verify([(text, "")], BUDGET_S)
    finally:
        await room.close()
    show.verdict(result)
    if arguments.json:
        print(json_line(_wire(result)))


def _wire(result: Result) -> dict[str, Any]:
    row = encode_result(result)
    message = result_pb2.Result.FromString(row.doc + row.evidence)
    return result_dict(message, evidence=True)


class _Steps:
    """Prints what happens, one step a line."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def _say(self, step: str, text: str) -> None:
        if not self._quiet:
            print(f"{step:<8} {printable(text)}", flush=True)

    def syntax(self, parsed: Any) -> None:
        """Say how the text was read."""
        if isinstance(parsed, SyntaxFault):
            self._say("syntax", f"{parsed.status.name} at {parsed.index}: {parsed.reason}")
        else:
            self._say("syntax", f"{parsed.local_part} at {parsed.domain.ascii}")

    def dns(self, answer: MxAnswer) -> None:
        """Say what DNS answered."""
        for record in answer.records:
            self._say("dns", record)
        self._say("dns", answer.outcome)
        operator = operator_of(answer.hosts) if answer.hosts else None
        if operator is not None:
            self._say("operator", f"{operator.name} ({operator.category})")

    def line(self, direction: Direction, text: str) -> None:
        """Say a line of the dialogue."""
        self._say("smtp", f"{direction} {text}")

    def verdict(self, result: Result) -> None:
        """Say what was concluded, and from what."""
        evidence = result.evidence
        if evidence is not None:
            for hit in evidence.list_hits:
                self._say("list", f"{hit.row} on {hit.list} ({hit.source}, {hit.date})")
            for finding in evidence.findings:
                self._say("finding", finding)
        for point in result.risk_points:
            self._say("risk", f"{point.points:+d} {point.name}")
        self._say(
            "verdict",
            f"{result.classification.name} {result.status.name}, risk {result.risk_score}: "
            f"{result.explanation}",
        )
        for suggestion in result.suggestions:
            self._say("meant", suggestion)


def look_up(names: Sequence[str], arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield where mail for each domain goes, in order."""
    yield from run(_look_up(names, network_settings(arguments)))


async def _look_up(names: Sequence[str], settings: Any) -> list[dict[str, Any]]:
    resolver = build_resolver(settings)
    room = asyncio.Semaphore(LOOK_UPS)

    async def one(name: str) -> dict[str, Any]:
        async with room:
            return await _route(resolver, name)

    try:
        return await asyncio.gather(*(one(name) for name in names))
    finally:
        await resolver.close()


async def _route(resolver: Resolver, name: str) -> dict[str, Any]:
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
