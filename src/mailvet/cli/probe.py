"""`mailvet probe`: one address, step by step, as it happens."""

import argparse
from typing import Any

from mailvet.cli.lines import printable
from mailvet.cli.remote import EMBEDDED_PATIENCE_S, network_settings, run
from mailvet.cli.show import json_line, result_dict
from mailvet.lists import operator_of
from mailvet.model.address import SyntaxFault
from mailvet.model.result import Result
from mailvet.model.route import MxAnswer
from mailvet.rpc.encode import encode_result
from mailvet.serve.engine_room import EngineRoom
from mailvet.smtp import Direction
from mailvet.store.memory import MemoryStore
from mailvet.syntax import parse
from mailvet.telemetry.logs import configure_logging
from mailvet.v1 import result_pb2

BUDGET_S = 120.0
"""By hand one waits: a slow exchanger may take its full session deadline."""


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
