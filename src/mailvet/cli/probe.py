"""`mailvet probe`: one address, step by step, as it happens; the frames of ExplainEmail."""

import argparse
from typing import Any

from mailvet.cli.lines import json_line, printable
from mailvet.cli.remote import any_client
from mailvet.cli.show import as_dict, result_dict
from mailvet.loop import run
from mailvet.v1 import explain_pb2, result_pb2, verification_service_pb2

_ARROWS = {
    explain_pb2.LINE_DIRECTION_SENT: ">",
    explain_pb2.LINE_DIRECTION_RECEIVED: "<",
    explain_pb2.LINE_DIRECTION_NOTE: "*",
}


def probe_tool(arguments: argparse.Namespace) -> int:
    """Verify one address and show every step; returns the exit code."""
    run(_probe(arguments))
    return 0


async def _probe(arguments: argparse.Namespace) -> None:
    address = arguments.address.encode("utf-8", "replace").decode("utf-8")
    async with any_client(arguments) as client:
        async for frame in client.explain_email(address, bare_domains=arguments.bare_domains):
            if not arguments.json:
                _show(frame)
            elif frame.HasField("result"):
                print(json_line(result_dict(frame.result, evidence=True)))


def _show(frame: verification_service_pb2.ExplainEmailResponse) -> None:
    """Print one step, each of its lines with its name before it."""
    kind = frame.WhichOneof("step")
    if kind is None:
        return
    name, lines = _LINES[kind](getattr(frame, kind))
    for line in lines:
        print(f"{name:<8} {printable(line)}", flush=True)


Lines = tuple[str, list[str]]


def _parse(step: explain_pb2.ParseStep) -> Lines:
    if step.status:
        word = as_dict(step)["status"]
        return "syntax", [f"{word} at {step.syntax_failure_index}: {step.reason}"]
    if not step.local_part:
        return "syntax", [f"the domain {step.ascii_domain}"]
    return "syntax", [f"{step.local_part} at {step.ascii_domain}"]


def _list_hit(hit: result_pb2.ListHit) -> Lines:
    return "list", [f"{hit.row} on {hit.list} ({', '.join(filter(None, (hit.source, hit.date)))})"]


def _dns(step: explain_pb2.DnsStep) -> Lines:
    remembered = " (known from before)" if step.from_cache else ""
    provider = f", run by {step.mail_provider}" if step.mail_provider else ""
    return "dns", [*step.records, f"{as_dict(step)['outcome']}{provider}{remembered}"]


def _smtp_line(line: explain_pb2.SmtpLine) -> Lines:
    return "smtp", [f"{_ARROWS.get(line.direction, '?')} {line.text}"]


def _catch_all(step: explain_pb2.CatchAllStep) -> Lines:
    when = "just now" if step.age.seconds < 1 else f"{step.age.seconds} s ago"
    return "catchall", [f"{as_dict(step)['is_catch_all']}, learnt {when}"]


def _finding(step: explain_pb2.FindingStep) -> Lines:
    found = as_dict(step)
    words = (step.check, found["outcome"], found["status"], step.rule)
    return "finding", [" ".join(filter(None, words))]


def _risk_point(point: result_pb2.RiskPoint) -> Lines:
    return "risk", [f"{point.points:+d} {point.name}"]


def _result(result: result_pb2.Result) -> Lines:
    found: dict[str, Any] = result_dict(result)
    verdict = f"{found['classification']} {found['status']}, risk {result.risk_score}"
    meant = [f"did you mean {suggestion}?" for suggestion in result.suggestions]
    return "verdict", [f"{verdict}: {result.explanation}", *meant]


_LINES: dict[str, Any] = {
    "parse": _parse,
    "list_hit": _list_hit,
    "dns": _dns,
    "smtp_line": _smtp_line,
    "catch_all": _catch_all,
    "finding": _finding,
    "risk_point": _risk_point,
    "result": _result,
}
