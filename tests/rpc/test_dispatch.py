"""What every call goes through."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from mailvet.model.admission import AdmissionLimits
from mailvet.model.batch import Answered
from mailvet.rpc import dispatch
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import verification_service_pb2 as verification_pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, read_rest, told

QUESTION = verification_pb.VerifyEmailRequest(input_data="secret.person@example.org")


class Failing:
    """A verifier with a fault."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def verify(
        self,
        _entries: Sequence[tuple[str, str]],
        _budget_s: float,
        _tenant: str,
        *,
        max_age_s: float = 0.0,
        max_shared_age_s: float = 0.0,
        bare_domains: bool = False,
    ) -> list[Answered]:
        assert max_age_s + max_shared_age_s >= int(bare_domains)
        raise self._error


def lines(world: World) -> list[dict[str, Any]]:
    return [entry for entry in world.logs if entry["event"] == "rpc.ended"]


async def test_a_call_is_one_line(world: World) -> None:
    """The canonical line says who, what, how it ended and how long it took."""
    await world.create("b")
    (line,) = lines(world)

    assert ("mailvet.v1.BatchService/CreateBatch", "default", "OK", "", 1, 1) == tuple(
        line[name] for name in ("method", "tenant", "code", "reason", "messages_in", "messages_out")
    )
    assert line["ms"] >= 0
    assert line["peer"].startswith("ipv4:127.0.0.1")


async def test_a_failure_is_one_line_with_its_reason(world: World) -> None:
    """What the caller was told stands in the line too."""
    with pytest.raises(grpc.aio.AioRpcError):
        await world.batches.GetBatch(pb.GetBatchRequest(batch_id="missing"))
    (line,) = lines(world)

    assert ("NOT_FOUND", "NOT_FOUND") == (line["code"], line["reason"])


async def test_no_line_has_an_address(world: World) -> None:
    """Addresses of a call appear nowhere in the log."""
    await world.verification.VerifyEmail(QUESTION)
    request = pb.CreateBatchRequest(entries=[{"input_data": "secret.person@example.org"}])  # type: ignore[list-item]
    await world.batches.CreateBatch(request)

    assert len(lines(world)) == 2
    assert "secret" not in repr(world.logs)


async def test_the_callers_request_id_comes_back(world: World) -> None:
    """A request id joins the caller's log and ours; a bad one is replaced, a missing one made."""
    call = world.batches.ListBatches(
        pb.ListBatchesRequest(), metadata=(("x-request-id", "abc-123"),)
    )
    await call
    trailing = dict(await call.trailing_metadata())
    assert "abc-123" == trailing["x-request-id"] == lines(world)[0]["request_id"]

    for bad in ("", "x" * 200, "a b"):
        call = world.batches.ListBatches(pb.ListBatchesRequest(), metadata=(("x-request-id", bad),))
        await call
        assert 16 == len(dict(await call.trailing_metadata())["x-request-id"])


async def test_a_failed_call_has_its_request_id(world: World) -> None:
    """A caller who complains can be helped."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.GetBatch(pb.GetBatchRequest(), metadata=(("x-request-id", "abc-123"),))
    trailing: Any = caught.value.trailing_metadata()

    assert "abc-123" == dict(trailing)["x-request-id"]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("secret"), asyncio.CancelledError("secret"), TimeoutError("secret")]
)
async def test_a_fault_leaks_nothing(error: BaseException, open_world: OpenWorld) -> None:
    """The caller gets an incident id that is in our log; a stray cancellation is a fault too."""
    world = await open_world(verifier=Failing(error))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.verification.VerifyEmail(QUESTION, timeout=5)
    found = told(caught.value)
    (fault,) = [entry for entry in world.logs if entry["event"] == "rpc.fault"]

    assert ("INTERNAL", "INTERNAL") == (found.code, found.info.reason)
    assert fault["incident_id"] == found.info.metadata["incident_id"]
    assert error is fault["exc_info"]
    assert "secret" not in found.message
    assert "Error" not in found.message


async def test_calls_are_counted(world: World) -> None:
    """By method and code, with the time they took; none stays open."""
    await world.create("b")
    with pytest.raises(grpc.aio.AioRpcError):
        await world.create("b")
    counted = {(count.method, count.code): count for count in world.metrics.counts()}
    method = "mailvet.v1.BatchService/CreateBatch"

    assert {(method, "OK"): 1, (method, "ALREADY_EXISTS"): 1} == {
        key: count.calls for key, count in counted.items()
    }
    assert 0 == world.metrics.open_calls(method)
    assert all(count.seconds > 0 for count in counted.values())


async def test_a_tenant_has_its_share_of_streams(open_world: OpenWorld) -> None:
    """Above its share a stream is refused with the time to come back, and freed when one ends."""
    world = await open_world(admission=AdmissionLimits(streams=3))
    await world.create("b", 1, launch=True)
    streams = [world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b")) for _ in range(3)]
    for stream in streams:
        await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b")).read()
    found = told(caught.value)

    assert ("RESOURCE_EXHAUSTED", "open_streams") == (found.code, found.info.metadata["subject"])
    assert 5 == found.details["RetryInfo"].retry_delay.seconds
    # Also for clients that retry by gRPC's own rules and read no details (gRFC A6).
    trailers: Any = caught.value.trailing_metadata()
    assert ["5000"] == [value for key, value in trailers if key == "grpc-retry-pushback-ms"]
    for stream in streams:
        stream.cancel()
    while world.metrics.open_calls("mailvet.v1.BatchService/WatchBatch"):
        await asyncio.sleep(0.01)
    assert await world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b")).read()


async def test_a_connection_has_its_share_of_calls(open_world: OpenWorld) -> None:
    """HTTP/2 has the client hold back what is above it; nothing is refused."""
    world = await open_world(admission=AdmissionLimits(connection_calls=3))
    await world.create("b", 1, launch=True)
    streams = [world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b")) for _ in range(3)]
    for stream in streams:
        await stream.read()
    held_back = asyncio.ensure_future(world.batches.GetBatch(pb.GetBatchRequest(batch_id="b")))
    done, _ = await asyncio.wait([held_back], timeout=0.2)
    assert not done

    streams[0].cancel()
    assert "b" == (await held_back).batch.batch_id


async def test_callers_at_the_limit_of_a_connection_are_not_refused(open_world: OpenWorld) -> None:
    """Call upon call, twice as many at once as it takes: a client without retries gets them all."""
    world = await open_world(admission=AdmissionLimits(connection_calls=20))
    await world.create("b", 1)

    async def calls() -> None:
        for _ in range(15):
            await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))

    await asyncio.gather(*(calls() for _ in range(40)))


async def test_a_deadline_that_passes_is_counted_as_such(world: World) -> None:
    """Operators tell callers who hung up from callers whose time was over."""
    await world.create("b", 1, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"), timeout=0.1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_rest(watch)
    while world.metrics.open_calls("mailvet.v1.BatchService/WatchBatch"):
        await asyncio.sleep(0.01)

    assert grpc.StatusCode.DEADLINE_EXCEEDED is caught.value.code()
    assert "DEADLINE_EXCEEDED" == lines(world)[-1]["code"]


def test_methods_are_found_by_their_names() -> None:
    """A service without one of its methods is noticed when the server is built."""
    service = pb.DESCRIPTOR.services_by_name["BatchService"]
    with pytest.raises(AttributeError, match="create_batch"):
        dispatch.methods_of(service, object())
