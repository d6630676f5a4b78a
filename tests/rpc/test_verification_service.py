"""VerificationService over the wire."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.model.batch import Answered
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import result_pb2
from mailvet.v1 import verification_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World


async def test_one_address(world: World) -> None:
    """The answer has the input and the custom key as they came."""
    request = pb.VerifyEmailRequest(input_data=" ann@example.org", custom="7")
    result = (await world.verification.VerifyEmail(request)).result

    assert (" ann@example.org", "7", 0) == (result.input_data, result.custom, result.index)


async def test_many_addresses_keep_their_order(world: World) -> None:
    """Answers come in the order asked, with their place."""
    entries = [batch_pb.Entry(input_data=f"u{n}@example.org", custom=str(n)) for n in range(1000)]
    reply = await world.verification.VerifyEmails(pb.VerifyEmailsRequest(entries=entries))

    assert [(n, f"u{n}@example.org", str(n)) for n in range(1000)] == [
        (result.index, result.input_data, result.custom) for result in reply.results
    ]


async def test_views(world: World) -> None:
    """A caller who needs little gets little."""
    basic = pb.VerifyEmailRequest(input_data="a@b.example", view=result_pb2.RESULT_VIEW_BASIC)
    full = pb.VerifyEmailRequest(input_data="a@b.example")

    assert not (await world.verification.VerifyEmail(basic)).result.mx_hosts
    assert (await world.verification.VerifyEmail(full)).result.mx_hosts


@pytest.mark.parametrize(
    ("deadline_s", "most", "least"), [(None, 30.0, 30.0), (100, 30.0, 30.0), (5, 5.5, 3.0)]
)
async def test_the_deadline_is_the_budget(
    deadline_s: float | None, most: float, least: float, world: World
) -> None:
    """The verifier is told how much time there is: the caller's, at most 30 s."""
    request = pb.VerifyEmailRequest(input_data="a@b.example")
    await world.verification.VerifyEmail(request, timeout=deadline_s)

    assert least <= world.verifier.asked[0][1] <= most


class Never:
    """A verifier that is still at work when the caller has gone."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def verify(
        self,
        _entries: Sequence[tuple[str, str]],
        _budget_s: float,
        _tenant: str,
        **_more: float,
    ) -> list[Answered]:
        self.began.set()
        try:
            return await asyncio.Future[list[Answered]]()
        finally:
            self.ended.set()


async def test_who_hangs_up_ends_the_work(open_world: OpenWorld) -> None:
    """A cancelled call does not go on probing."""
    verifier = Never()
    world = await open_world(verifier=verifier)
    call = world.verification.VerifyEmail(pb.VerifyEmailRequest(input_data="a@b.example"))
    asking = asyncio.ensure_future(call)
    await verifier.began.wait()
    call.cancel()
    await asyncio.wait_for(verifier.ended.wait(), 5)
    await asyncio.wait([asking])

    assert grpc.StatusCode.CANCELLED is await call.code()


async def test_ages_reach_the_verifier(world: World) -> None:
    """The tenant's own and the shared one, of each method that verifies; without, all is asked."""
    ages: dict[str, Any] = {"max_age": Duration(seconds=90), "max_shared_age": Duration(seconds=60)}
    entries = [batch_pb.Entry(input_data="ann@example.org")]
    await world.verification.VerifyEmail(pb.VerifyEmailRequest(input_data="ann@example.org"))
    await world.verification.VerifyEmail(
        pb.VerifyEmailRequest(input_data="ann@example.org", **ages)
    )
    await world.verification.VerifyEmails(pb.VerifyEmailsRequest(entries=entries, **ages))
    stream = [pb.VerifyStreamRequest(input_data="ann@example.org", **ages)]
    answers = [answer async for answer in world.verification.VerifyStream(stream)]

    assert 1 == len(answers)
    assert [(0.0, 0.0)] + [(90.0, 60.0)] * 3 == world.verifier.max_ages


@pytest.mark.parametrize("field", ["max_age", "max_shared_age"])
async def test_an_age_is_a_month_at_most(field: str, world: World) -> None:
    """What is older says little of a mailbox; the error names the field."""
    month: dict[str, Any] = {field: Duration(seconds=30 * 86_400 + 1)}
    entries = [batch_pb.Entry(input_data="ann@example.org")]
    for asked in (
        world.verification.VerifyEmail(pb.VerifyEmailRequest(**month)),
        world.verification.VerifyEmails(pb.VerifyEmailsRequest(entries=entries, **month)),
        anext(aiter(world.verification.VerifyStream([pb.VerifyStreamRequest(**month)]))),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asked
        assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
        assert f"{field}:" in (caught.value.details() or "")


async def test_only_who_says_so_may_send_domains(world: World) -> None:
    """Each method that verifies passes on what its request says."""
    entries = [batch_pb.Entry(input_data="example.org")]
    says: tuple[dict[str, Any], ...] = ({}, {"bare_domains": True})
    for more in says:
        one: dict[str, Any] = {"input_data": "example.org", **more}
        await world.verification.VerifyEmail(pb.VerifyEmailRequest(**one))
        await world.verification.VerifyEmails(pb.VerifyEmailsRequest(entries=entries, **more))
        async for _ in world.verification.VerifyStream([pb.VerifyStreamRequest(**one)]):
            pass
        async for _ in world.verification.ExplainEmail(pb.ExplainEmailRequest(**one)):
            pass

    assert [False] * 4 + [True] * 4 == world.verifier.bare_domains
