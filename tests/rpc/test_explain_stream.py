"""ExplainEmail over the wire: frames of every kind of step, heartbeats, and every way it ends."""

import asyncio

import grpc
import pytest

from mailvet.model.address import Address, DomainName, SyntaxFault
from mailvet.model.finding import Finding, Outcome
from mailvet.model.result import ListHit, Result, RiskPoint
from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.model.status import EntryStatus, Fact
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
from mailvet.rpc.explain_stream import frame
from mailvet.v1 import explain_pb2, status_pb2
from mailvet.v1 import verification_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World

ANN = Address("ann", DomainName("example.org", "example.org"))


def _request(heartbeat_s: float = 0) -> pb.ExplainEmailRequest:
    request = pb.ExplainEmailRequest(input_data="ann@example.org", custom="7")
    if heartbeat_s:
        request.heartbeat_interval.FromNanoseconds(int(heartbeat_s * 1e9))
    return request


async def test_the_steps_come_first_and_the_result_last(world: World) -> None:
    """Every frame says when it happened; the last one carries the result with its key."""
    frames = [one async for one in world.verification.ExplainEmail(_request())]

    assert ["smtp_line", "result"] == [one.WhichOneof("step") for one in frames]
    assert "EHLO example.net" == frames[0].smtp_line.text
    assert ("ann@example.org", "7") == (frames[1].result.input_data, frames[1].result.custom)
    assert all(one.HasField("elapsed") for one in frames)


@pytest.mark.parametrize(
    ("deadline_s", "most", "least"), [(None, 120, 120), (5, 5.5, 3), (900, 120, 120)]
)
async def test_the_deadline_is_the_budget(
    deadline_s: float | None, most: float, least: float, world: World
) -> None:
    """The verifier is told how much time there is: the caller's, at most two minutes."""
    call = world.verification.ExplainEmail(_request(), timeout=deadline_s)
    assert 2 == len([one async for one in call])
    assert least <= world.verifier.asked[0][1] <= most


async def test_wrong_fields_are_named(world: World) -> None:
    """A key that is too long is refused before anything is asked."""
    request = pb.ExplainEmailRequest(custom="x" * 1025)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.verification.ExplainEmail(request).read()

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert [] == world.verifier.asked


class Slow:
    """A verifier that tells one step and is still at work until it is let go."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.fault: Exception | None = None

    async def explain(
        self,
        _entry: tuple[str, str],
        _budget_s: float,
        _tenant: str,
        tell: Tell,
        *,
        bare_domains: bool,
    ) -> Result:
        assert not bare_domains
        tell(Spoken("*", "connecting"))
        try:
            if self.fault is not None:
                raise self.fault
            return await asyncio.Future[Result]()
        finally:
            self.ended.set()


async def test_a_quiet_stream_says_that_it_lives(open_world: OpenWorld) -> None:
    """A heartbeat is a frame with a time and no step."""
    world = await open_world(verifier=Slow())
    call = world.verification.ExplainEmail(_request(heartbeat_s=0.01))
    frames = [await call.read() for _ in range(3)]
    call.cancel()

    assert ["smtp_line", None, None] == [one.WhichOneof("step") for one in frames]
    assert frames[2].elapsed.ToNanoseconds() > frames[1].elapsed.ToNanoseconds()


async def test_who_hangs_up_ends_the_work(open_world: OpenWorld) -> None:
    """A cancelled call does not go on probing."""
    verifier = Slow()
    world = await open_world(verifier=verifier)
    call = world.verification.ExplainEmail(_request())
    await call.read()
    call.cancel()

    assert await asyncio.wait_for(verifier.ended.wait(), 5)


async def test_a_draining_server_says_so(open_world: OpenWorld) -> None:
    """An explanation does not hold up a server that goes away."""
    verifier = Slow()
    world = await open_world(verifier=verifier)
    call = world.verification.ExplainEmail(_request())
    await call.read()
    stopping = asyncio.ensure_future(world.server.stop(grace_s=5))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    await stopping

    assert grpc.StatusCode.UNAVAILABLE is caught.value.code()
    assert verifier.ended.is_set()


async def test_a_fault_of_ours_ends_the_stream_as_one(open_world: OpenWorld) -> None:
    """The steps told before it arrive, then INTERNAL."""
    verifier = Slow()
    verifier.fault = ZeroDivisionError("secret")
    world = await open_world(verifier=verifier)
    call = world.verification.ExplainEmail(_request())
    assert "connecting" == (await call.read()).smtp_line.text
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()

    assert grpc.StatusCode.INTERNAL is caught.value.code()
    assert "secret" not in str(caught.value.details())


FAULT = SyntaxFault(EntryStatus.DOUBLE_DOT_SEQUENCE, 3, "Two.")
STEPS: list[tuple[Step, str]] = [
    (
        Parsed(ANN, None),
        'parse { email_address: "ann@example.org" local_part: "ann" ascii_domain: "example.org" }',
    ),
    (
        Parsed(None, FAULT),
        'parse { status: ENTRY_STATUS_DOUBLE_DOT_SEQUENCE syntax_failure_index: 3 reason: "Two." }',
    ),
    (
        Listed(ListHit("free", "example.org", "a source", "2026-01-02")),
        'list_hit { list: "free" row: "example.org" source: "a source" date: "2026-01-02" }',
    ),
    (Spoken("<", "250 \x1b[2J"), 'smtp_line { direction: LINE_DIRECTION_RECEIVED text: "250 %s" }'),
    (CatchAllKnown(Fact.NO, 90.0), "catch_all { is_catch_all: FACT_NO age { seconds: 90 } }"),
    (
        Judged(Finding(check="domain", outcome=Outcome.PASS, rule="domain.mx")),
        'finding { check: "domain" outcome: FINDING_OUTCOME_PASS rule: "domain.mx" }',
    ),
    (Scored(RiskPoint("role", 10)), 'risk_point { name: "role" points: 10 }'),
]


@pytest.mark.parametrize(("step", "text"), STEPS, ids=lambda one: type(one).__name__)
def test_a_step_has_a_frame_of_its_own(step: Step, text: str) -> None:
    """Every kind of step says what it knows; control characters come out escaped."""
    expected = "elapsed { seconds: 1 } " + text.replace("%s", r"\\x1b[2J")
    assert expected.split() == str(frame(step, 1.0)).split()


def test_a_lone_surrogate_does_not_break_a_frame() -> None:
    """What is no Unicode text is replaced: the wire takes none."""
    odd = Address("\udce9", DomainName("example.org", "example.org"))
    assert "?" == frame(Parsed(odd, None), 0).parse.local_part


@pytest.mark.parametrize("outcome", MxOutcome)
def test_every_outcome_of_dns_has_its_word(outcome: MxOutcome) -> None:
    """The exchangers come with every address they may be dialled at."""
    exchanger = Exchanger(host="mx.example.net", preference=10, addresses=("192.0.2.1",))
    answer = MxAnswer(outcome=outcome, exchangers=(exchanger,), records=("r",), ttl_s=300)
    told = frame(Routed(answer, "A provider", remembered=True), 0).dns

    assert f"DNS_OUTCOME_{outcome.name}" == explain_pb2.DnsOutcome.Name(told.outcome)
    assert ("mx.example.net", 10, ["192.0.2.1"]) == (
        told.exchangers[0].host,
        told.exchangers[0].preference,
        list(told.exchangers[0].addresses),
    )
    assert ("A provider", True, 300) == (
        told.mail_provider,
        told.from_cache,
        told.time_to_live.seconds,
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_a_check_has_its_word(outcome: Outcome) -> None:
    """A finding keeps the status that it argues for."""
    found = Finding(check="mailbox", outcome=outcome, status=EntryStatus.RELAY_DENIED)
    told = frame(Judged(found), 0).finding

    assert f"FINDING_OUTCOME_{outcome.name}" == explain_pb2.FindingOutcome.Name(told.outcome)
    assert status_pb2.ENTRY_STATUS_RELAY_DENIED == told.status
