"""Who is let in, over the wire, and for how long."""

import asyncio
import time
from typing import Any

import grpc
import pytest

from mailvet.accounts.guessing import FREE_BURST, HOLD_S
from mailvet.accounts.key_table import MAX_AGE_S
from mailvet.rpc import open_calls
from mailvet.store.base import Store
from mailvet.v1 import batch_service_pb2 as pb
from tests.accounts.world import Clock, made
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told


async def test_a_call_needs_its_key(open_world: OpenWorld, store: Store) -> None:
    """With the key the call is answered, without it is not."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    world = await open_world(require_keys=True)
    listing = pb.ListBatchesRequest()

    await world.batches.ListBatches(listing, metadata=(("authorization", f"Bearer {text}"),))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.ListBatches(listing)
    assert "UNAUTHENTICATED" == told(caught.value).info.reason


async def test_a_revoked_key_ends_a_stream(open_world: OpenWorld, store: Store) -> None:
    """A stream that began with a good key ends once the key is revoked."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    clock = Clock()
    world = await open_world(require_keys=True, clock=clock, metadata=(("x-api-key", text),))
    await world.create("b", 2, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"))
    await watch.read()
    await store.revoke_key(kept.key_id)
    clock.now += MAX_AGE_S
    await store.cancel_batch("acme", "b")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_to_the_end(watch)

    assert grpc.StatusCode.UNAUTHENTICATED is caught.value.code()


@pytest.mark.parametrize("method", ["WatchBatch", "StreamEntries", "GetBatch"])
async def test_a_quiet_call_ends_when_its_key_is_revoked(
    method: str, open_world: OpenWorld, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be said on it; calls with other keys go on."""
    monkeypatch.setattr(open_calls, "LOOK_EVERY_S", 0.01)
    (text, kept), (other_text, other) = made("acme", store.secret), made("acme", store.secret)
    await store.add_key(kept)
    await store.add_key(other)
    clock = Clock()
    world = await open_world(require_keys=True, clock=clock, metadata=(("x-api-key", text),))
    await world.create("b")
    metadata = (("authorization", f"Bearer {other_text}"),)
    watch = pb.WatchBatchRequest(batch_id="b")
    watch.heartbeat_interval.FromSeconds(60)
    staying = world.batches.WatchBatch(watch, metadata=metadata)
    await staying.read()
    call = await begun(world, method)

    await store.revoke_key(kept.key_id)
    clock.now += MAX_AGE_S
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert "UNAUTHENTICATED" == told(caught.value).info.reason
    assert 1 == world.metrics.open_calls("mailvet.v1.BatchService/WatchBatch")
    staying.cancel()


async def test_guessers_wait_and_nobody_else(open_world: OpenWorld, store: Store) -> None:
    """Beyond a burst refusals are held; right keys are answered, and a drain ends the waiting."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    world = await open_world(require_keys=True, clock=Clock())

    async def guess() -> str:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.batches.ListBatches(pb.ListBatchesRequest())
        return str(told(caught.value).info.reason)

    answered = await asyncio.gather(*(guess() for _ in range(FREE_BURST)))
    assert ["UNAUTHENTICATED"] * FREE_BURST == answered
    held = [asyncio.create_task(guess()) for _ in range(5)]
    lines = len(world.logs)
    metadata = (("x-api-key", text),)
    for _ in range(10):
        await world.batches.ListBatches(pb.ListBatchesRequest(), metadata=metadata)
    assert not any(task.done() for task in held)
    assert 10 == len(world.logs) - lines  # a storm of refusals is no storm of lines

    await asyncio.wait_for(world.server.stop(grace_s=60), HOLD_S / 2)
    assert ["UNAUTHENTICATED"] * 5 == await asyncio.gather(*held)


async def test_the_last_use_of_a_key_is_kept(open_world: OpenWorld, store: Store) -> None:
    """Of all calls together, written once in a while and at the end."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    world = await open_world(require_keys=True, metadata=(("x-api-key", text),))
    before = time.time()
    for _ in range(3):
        await world.batches.ListBatches(pb.ListBatchesRequest())
    assert kept == await store.find_key(kept.key_id)

    await world.server.stop(0)
    now = await store.find_key(kept.key_id)
    assert now is not None
    assert before <= (now.last_use_time or 0) <= time.time()


async def begun(world: World, method: str) -> Any:
    """A call that says nothing for a minute; returns what waits for its end."""
    if method == "GetBatch":
        request = pb.GetBatchRequest(batch_id="b")
        request.wait.FromSeconds(60)
        task = asyncio.ensure_future(world.batches.GetBatch(request))
        while not world.metrics.open_calls("mailvet.v1.BatchService/GetBatch"):
            await asyncio.sleep(0.001)
        return task
    if method == "StreamEntries":
        stream = world.batches.StreamEntries()
        await stream.write(pb.StreamEntriesRequest(batch_id="b"))
    else:
        watch = pb.WatchBatchRequest(batch_id="b")
        watch.heartbeat_interval.FromSeconds(60)
        stream = world.batches.WatchBatch(watch)
    await stream.read()
    return read_on(stream)


async def read_on(stream: Any) -> None:
    """Read a stream that was begun with `read` until it ends, well or not."""
    while await stream.read() is not grpc.aio.EOF:  # type: ignore[attr-defined]
        pass


async def read_to_the_end(stream: Any) -> None:
    """Read a stream until it ends, well or not."""
    async for _ in stream:
        pass
