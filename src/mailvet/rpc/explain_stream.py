"""ExplainEmail: the steps of one verification, framed as they happen, then its result."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from mailvet.model.result import Result
from mailvet.model.step import (
    CatchAllKnown,
    Judged,
    Listed,
    Parsed,
    Routed,
    Scored,
    Spoken,
    Step,
    Tell,
)
from mailvet.rpc.call import Call
from mailvet.rpc.encode import duration, encode_result, printable
from mailvet.rpc.frames import VIEW_EVIDENCE, body
from mailvet.v1 import explain_pb2 as explain_pb
from mailvet.v1 import result_pb2 as result_pb
from mailvet.v1 import verification_service_pb2 as pb

_DIRECTIONS = {
    ">": explain_pb.LINE_DIRECTION_SENT,
    "<": explain_pb.LINE_DIRECTION_RECEIVED,
    "*": explain_pb.LINE_DIRECTION_NOTE,
}

Explain = Callable[[Tell], Awaitable[Result]]


async def send(
    call: Call[pb.ExplainEmailRequest],
    explain: Explain,
    *,
    heartbeat_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Write a frame for every step that `explain` tells, and one for the result it returns.

    A quiet stream gets an empty frame every `heartbeat_s`. When the call ends, by whosever hand,
    the work ends before this returns. Raises `Unavailable` when the server drains.
    """
    started = clock()
    steps: asyncio.Queue[tuple[float, Step | None]] = asyncio.Queue()

    def tell(step: Step | None) -> None:
        steps.put_nowait((clock() - started, step))

    work = asyncio.ensure_future(explain(tell))
    work.add_done_callback(lambda _: tell(None))
    try:
        while True:
            heard = await call.drain.unless(_next(steps, heartbeat_s or None))
            if heard is None:
                raise call.going_away()
            elapsed_s, step = heard
            if elapsed_s is None:
                await call.write(pb.ExplainEmailResponse(elapsed=duration(clock() - started)))
            elif step is None:
                result = await work
                await call.write(_last_frame(result, elapsed_s))
                return
            else:
                await call.write(frame(step, elapsed_s))
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _next(
    steps: "asyncio.Queue[tuple[float, Step | None]]", heartbeat_s: float | None
) -> tuple[float | None, Step | None]:
    """The next step and its time; no time when none came for so long."""
    try:
        return await asyncio.wait_for(steps.get(), heartbeat_s)
    except TimeoutError:
        return None, None


def _last_frame(result: Result, elapsed_s: float) -> pb.ExplainEmailResponse:
    row = encode_result(result)
    return pb.ExplainEmailResponse(
        elapsed=duration(elapsed_s), result=result_pb.Result.FromString(body(row, VIEW_EVIDENCE))
    )


def frame(step: Step, elapsed_s: float) -> pb.ExplainEmailResponse:
    """Return the frame of one step; what strangers said is printable in it."""
    elapsed = duration(elapsed_s)
    match step:
        case Parsed():
            return pb.ExplainEmailResponse(elapsed=elapsed, parse=_parse(step))
        case Listed(hit):
            listed = result_pb.ListHit(list=hit.list, row=hit.row, source=hit.source, date=hit.date)
            return pb.ExplainEmailResponse(elapsed=elapsed, list_hit=listed)
        case Routed():
            return pb.ExplainEmailResponse(elapsed=elapsed, dns=_dns(step))
        case Spoken(direction, text):
            line = explain_pb.SmtpLine(direction=_DIRECTIONS[direction], text=printable(text))
            return pb.ExplainEmailResponse(elapsed=elapsed, smtp_line=line)
        case CatchAllKnown(fact, age_s):
            known = explain_pb.CatchAllStep(
                is_catch_all=fact,  # type: ignore[arg-type]  # the numbers are the proto's
                age=duration(max(0.0, age_s)),
            )
            return pb.ExplainEmailResponse(elapsed=elapsed, catch_all=known)
        case Judged():
            return pb.ExplainEmailResponse(elapsed=elapsed, finding=_finding(step))
        case Scored(point):
            scored = result_pb.RiskPoint(name=point.name, points=point.points)
            return pb.ExplainEmailResponse(elapsed=elapsed, risk_point=scored)


def _parse(step: Parsed) -> explain_pb.ParseStep:
    address, fault, is_domain = step
    is_named = address is not None and not is_domain
    return explain_pb.ParseStep(
        email_address=_text(address.email) if address and is_named else "",
        local_part=_text(address.local_part) if address and is_named else "",
        ascii_domain=address.domain.ascii if address else "",
        status=fault.status if fault else 0,  # type: ignore[arg-type]
        syntax_failure_index=fault.index if fault else None,
        reason=_text(printable(fault.reason)) if fault else "",
    )


def _text(text: str) -> str:
    """What is no Unicode text (lone surrogates) is replaced: protobuf takes none."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _dns(step: Routed) -> explain_pb.DnsStep:
    answer = step.answer
    return explain_pb.DnsStep(
        outcome=explain_pb.DnsOutcome.Value(f"DNS_OUTCOME_{answer.outcome.name}"),
        records=map(printable, answer.records),
        exchangers=[
            explain_pb.MailExchanger(
                host=one.host, preference=one.preference, addresses=one.addresses
            )
            for one in answer.exchangers
        ],
        mail_provider=step.mail_provider,
        from_cache=step.remembered,
        time_to_live=duration(answer.ttl_s),
    )


def _finding(step: Judged) -> explain_pb.FindingStep:
    found = step.finding
    return explain_pb.FindingStep(
        check=found.check,
        outcome=explain_pb.FindingOutcome.Value(f"FINDING_OUTCOME_{found.outcome.name}"),
        status=found.status or 0,  # type: ignore[arg-type]
        rule=printable(found.rule),
    )
