"""BatchService over the wire."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import status_pb2
from tests.batches.engine import every_third_missing, work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, read_rest

RUNNING, COMPLETED = batch_pb.BATCH_STATE_RUNNING, batch_pb.BATCH_STATE_COMPLETED


async def test_nothing_asked_makes_a_draft(world: World) -> None:
    """`{}` is a good request: an empty DRAFT batch with the defaults."""
    batch = (await world.batches.CreateBatch(pb.CreateBatchRequest())).batch

    assert batch_pb.BATCH_STATE_DRAFT == batch.state
    assert (36, 127, 0) == (len(batch.batch_id), batch.priority, batch.entry_count)
    assert status_pb2.QUALITY_LEVEL_STANDARD == batch.quality
    assert batch_pb.DUPLICATE_KEEP_FIRST == batch.duplicate_keep
    assert batch.HasField("create_time")
    assert not batch.HasField("launch_time")


async def test_a_batch_echoes_what_was_asked(world: World) -> None:
    """Everything that was asked for can be read back."""
    await world.create(
        "mine",
        name="n",
        description="d",
        labels={"k": "v"},
        quality=3,
        priority=0,
        deduplication=3,
        duplicate_keep=2,
    )
    batch = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="mine"))).batch

    assert ("n", "d", {"k": "v"}, 3, 0, 3, 2) == (
        batch.name,
        batch.description,
        dict(batch.labels),
        batch.quality,
        batch.priority,
        batch.deduplication,
        batch.duplicate_keep,
    )


async def test_one_call_does_it_all(world: World) -> None:
    """Entries and launch in the call that creates."""
    batch = await world.create("mine")
    assert 0 == batch.entry_count
    launched = pb.CreateBatchRequest(
        entries=[batch_pb.Entry(input_data="a@b.example")], launch=True
    )
    batch = (await world.batches.CreateBatch(launched)).batch

    assert (RUNNING, 1) == (batch.state, batch.progress.entry_count)


async def test_a_repeated_request_returns_the_first_batch(world: World) -> None:
    """After a lost answer the same call gives the batch that was made."""
    request = pb.CreateBatchRequest(request_id="r1", name="spring")
    first = (await world.batches.CreateBatch(request)).batch
    second = (await world.batches.CreateBatch(request)).batch

    assert first.batch_id == second.batch_id


async def test_create_waits_for_the_end(world: World) -> None:
    """With `wait` and `launch` one call is all; asked again, it is answered at once."""
    entries = [batch_pb.Entry(input_data=f"u{n}@example.org") for n in range(3)]
    request = pb.CreateBatchRequest(
        batch_id="b", entries=entries, launch=True, request_id="r", wait=Duration(seconds=30)
    )
    creating = asyncio.ensure_future(world.batches.CreateBatch(request, timeout=20))
    while not (await world.batches.ListBatches(pb.ListBatchesRequest())).batches:
        await asyncio.sleep(0)
    await work(world.store)
    batch = (await creating).batch
    again = (await world.batches.CreateBatch(request)).batch

    assert (COMPLETED, 3) == (batch.state, batch.progress.result_count)
    assert batch == again


async def test_create_waits_for_nothing_else(world: World) -> None:
    """Neither for a draft, nor for what is only checked, nor for longer than a minute."""
    wait = Duration(seconds=30)
    entries = [batch_pb.Entry(input_data="u@example.org")]
    draft = pb.CreateBatchRequest(entries=entries, wait=wait)
    checked = pb.CreateBatchRequest(entries=entries, launch=True, validate_only=True, wait=wait)
    for request in (draft, checked):
        await asyncio.wait_for(world.batches.CreateBatch(request), 10)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.CreateBatch(pb.CreateBatchRequest(wait=Duration(seconds=61)))

    assert "wait:" in (caught.value.details() or "")
    assert 1 == len((await world.batches.ListBatches(pb.ListBatchesRequest())).batches)


async def test_get_waits_for_the_end(world: World) -> None:
    """With `wait` one call is enough to see a batch through."""
    await world.create("b", 5, launch=True)
    request = pb.GetBatchRequest(batch_id="b")
    request.wait.FromSeconds(60)
    waiting = asyncio.ensure_future(world.batches.GetBatch(request))
    await work(world.store, choose=every_third_missing)
    batch = (await waiting).batch

    assert COMPLETED == batch.state
    assert [3, 2] == [found.count for found in batch.progress.classifications]
    assert [
        (status_pb2.ENTRY_STATUS_SUCCESS, 3),
        (status_pb2.ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST, 2),
    ] == [(found.status, found.count) for found in batch.progress.statuses]


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_get_answers_before_the_deadline(world: World) -> None:
    """A wait longer than the caller's deadline ends with an answer, not with an error."""
    await world.create("b", 5, launch=True)
    request = pb.GetBatchRequest(batch_id="b")
    request.wait.FromSeconds(60)

    assert RUNNING == (await world.batches.GetBatch(request, timeout=0.6)).batch.state


async def test_a_batch_is_launched_once(world: World) -> None:
    """Launching again changes nothing, also after a lost answer."""
    await world.create("b", 1, launch=True)
    again = await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))

    assert RUNNING == again.batch.state


async def test_cancel_and_delete(world: World) -> None:
    """A cancelled batch can be deleted; then it is gone, and `allow_missing` does not mind."""
    await world.create("b", 3, launch=True)
    cancelled = await world.batches.CancelBatch(pb.CancelBatchRequest(batch_id="b"))
    assert batch_pb.BATCH_STATE_CANCELLED == cancelled.batch.state
    assert cancelled.batch.HasField("end_time")

    gone = await world.batches.DeleteBatch(pb.DeleteBatchRequest(batch_id="b"))
    missing = await world.batches.DeleteBatch(
        pb.DeleteBatchRequest(batch_id="b", allow_missing=True)
    )
    assert (3, 0) == (gone.deleted_entry_count, missing.deleted_entry_count)


async def test_batches_are_listed_in_pages(world: World) -> None:
    """Following the tokens lists all, the newest first."""
    for n in range(5):
        await world.create(f"b{n}")
    names: list[str] = []
    request = pb.ListBatchesRequest(page_size=2)
    while True:
        page = await world.batches.ListBatches(request)
        names += [batch.batch_id for batch in page.batches]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break

    assert ["b4", "b3", "b2", "b1", "b0"] == names


async def frames_of(watch: Any) -> list[pb.WatchBatchResponse]:
    return [frame async for frame in watch]


async def test_a_watch_sees_a_batch_through(world: World) -> None:
    """The first and the last frame have the whole batch, those between progress only."""
    await world.create("b", 20, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"))
    first = await watch.read()
    watching = asyncio.create_task(read_rest(watch))
    await work(world.store, a_time=1)
    frames = [first, *await asyncio.wait_for(watching, 10)]
    counts = [frame.progress.result_count for frame in frames]

    assert counts == sorted(counts)
    assert 20 == counts[-1]
    assert (RUNNING, COMPLETED) == (frames[0].batch.state, frames[-1].batch.state)
    assert [frames[-1]] == [frame for frame in frames if frame.done]
    assert not any(frame.HasField("batch") for frame in frames[1:-1])


async def test_a_watch_of_an_ended_batch_is_one_frame(world: World) -> None:
    """The first frame is the last one too."""
    await world.create("b", 1, launch=True)
    await work(world.store)
    (frame,) = await frames_of(world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b")))

    assert (True, COMPLETED) == (frame.done, frame.batch.state)


async def test_a_quiet_watch_has_heartbeats(world: World) -> None:
    """Proxies see a living stream though nothing changes."""
    await world.create("b", 1, launch=True)
    request = pb.WatchBatchRequest(batch_id="b")
    request.heartbeat_interval.FromMilliseconds(20)
    watch = world.batches.WatchBatch(request)
    frames = [await watch.read() for _ in range(3)]

    assert [False] * 3 == [frame.done for frame in frames]
    watch.cancel()


async def test_a_watch_says_that_the_server_drains(open_world: OpenWorld) -> None:
    """The last frame says when to come back, the status that it was not the end."""
    world = await open_world()
    await world.create("b", 1, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"))
    await watch.read()
    stopping = asyncio.create_task(world.server.stop(grace_s=30))
    last = await watch.read()

    assert 1 == last.going_away.retry_delay.seconds
    assert grpc.StatusCode.UNAVAILABLE is await watch.code()
    await asyncio.wait_for(stopping, 5)


@pytest.mark.parametrize("count", [1, 999, 1000])
async def test_entries_are_added(count: int, world: World) -> None:
    """Up to 1,000 entries a call, at the end or at an offset."""
    await world.create("b")
    entries = [batch_pb.Entry(input_data=f"u{n}@example.org") for n in range(count)]
    first = await world.batches.AddEntries(pb.AddEntriesRequest(batch_id="b", entries=entries))
    again = await world.batches.AddEntries(
        pb.AddEntriesRequest(batch_id="b", offset=0, entries=entries)
    )

    assert (count, count) == (first.entry_count, again.entry_count)
