"""StreamEntries: acks, resume, overlap, bounds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import pytest

from mailvet.rpc.upload_stream import FRAMES_WAITING
from mailvet.store.memory import MemoryStore
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import result_service_pb2 as result_pb
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, read_rest, told


def frame(
    start: int, end: int, *, offset: int | None = None, batch_id: str = "", **more: Any
) -> pb.StreamEntriesRequest:
    """A frame with the entries u<start> to u<end - 1>."""
    entries = [batch_pb.Entry(input_data=f"u{n}@example.org") for n in range(start, end)]
    return pb.StreamEntriesRequest(batch_id=batch_id, offset=offset, entries=entries, **more)


async def upload(world: World, frames: Sequence[pb.StreamEntriesRequest]) -> list[int]:
    """Send frames without waiting; the acks."""
    return [ack.entry_count async for ack in world.batches.StreamEntries(iter(frames))]


async def check_kept(world: World, count: int) -> None:
    """Check that batch `b` holds u0 to u<count - 1>, each once and in order."""
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    kept: dict[int, str] = {}
    stream = world.results.StreamResults(result_pb.StreamResultsRequest(batch_id="b"))
    async for response in stream:
        kept |= {result.index: result.input_data for result in response.results}

    assert {n: f"u{n}@example.org" for n in range(count)} == kept


async def test_each_frame_has_an_ack(world: World) -> None:
    """Frames may be sent faster than acks come; acks are in order and the last says all."""
    await world.create("b")
    acks = await upload(
        world, [frame(0, 10, batch_id="b"), *(frame(n, n + 10) for n in range(10, 300, 10))]
    )

    assert acks == sorted(acks)
    assert (30, 300) == (len(acks), acks[-1])
    await check_kept(world, 300)


async def test_the_first_reply_comes_before_any_entry(world: World) -> None:
    """A client that opens with the batch only learns where to go on."""
    await world.create("b", 7)
    stream = world.batches.StreamEntries()
    await stream.write(pb.StreamEntriesRequest(batch_id="b"))
    first = await stream.read()
    await stream.write(frame(7, 9))
    second = await stream.read()
    await stream.done_writing()

    assert (7, 9) == (first.entry_count, second.entry_count)
    assert grpc.StatusCode.OK is await stream.code()


async def test_a_cut_upload_is_resumed(world: World) -> None:
    """Whatever the cut, going on from the first reply keeps every entry once."""
    await world.create("b")
    for cut in range(1, 8):
        stream = world.batches.StreamEntries()
        await stream.write(pb.StreamEntriesRequest(batch_id="b"))
        place = (await stream.read()).entry_count
        for start in range(place, place + cut * 5, 5):
            await stream.write(frame(start, start + 5, offset=start))
        for _ in range(cut // 2):
            await stream.read()
        stream.cancel()

    stream = world.batches.StreamEntries()
    await stream.write(pb.StreamEntriesRequest(batch_id="b"))
    place = (await stream.read()).entry_count
    await stream.write(frame(place, 200, offset=place))
    assert 200 == (await stream.read()).entry_count
    stream.cancel()
    await check_kept(world, 200)


async def test_repeats_and_overlaps_are_skipped(world: World) -> None:
    """A client that is not sure sends again; nothing is kept twice."""
    await world.create("b")
    acks = await upload(
        world,
        [
            frame(0, 10, offset=0, batch_id="b"),
            frame(0, 10, offset=0),
            frame(5, 15, offset=5, batch_id="b"),
            frame(15, 20),
            frame(18, 21, offset=18),
        ],
    )

    assert 21 == acks[-1]
    await check_kept(world, 21)


async def test_a_gap_says_where_to_go_on(world: World) -> None:
    """Entries before the gap are kept; the error names the offset that is missing."""
    await world.create("b")
    stream = world.batches.StreamEntries(
        iter([frame(0, 10, offset=0, batch_id="b"), frame(20, 30, offset=20)])
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_rest(stream)

    assert {"offset": "20", "expected": "10"} == dict(told(caught.value).info.metadata)
    await check_kept(world, 10)


async def test_finish_launches(world: World) -> None:
    """The last frame may check the count and start the work; its ack has the batch."""
    await world.create("b")
    finish = pb.FinishUpload(entry_count=12, launch=True)
    stream = world.batches.StreamEntries(
        iter([frame(0, 10, batch_id="b"), frame(10, 12, finish=finish)])
    )
    last = [ack async for ack in stream][-1]

    assert (12, batch_pb.BATCH_STATE_RUNNING) == (last.entry_count, last.batch.state)


async def test_finish_without_launch_leaves_a_draft(world: World) -> None:
    """A finished upload need not start the work."""
    await world.create("b")
    stream = world.batches.StreamEntries(
        iter([frame(0, 3, batch_id="b", finish=pb.FinishUpload())])
    )
    (ack,) = [ack async for ack in stream]

    assert batch_pb.BATCH_STATE_DRAFT == ack.batch.state


async def test_a_wrong_count_does_not_launch(world: World) -> None:
    """When entries are missing the work does not start."""
    await world.create("b")
    finish = pb.FinishUpload(entry_count=13, launch=True)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await upload(world, [frame(0, 12, batch_id="b", finish=finish)])
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    batch = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch

    assert "finish.entry_count" == violation.field
    assert batch_pb.BATCH_STATE_DRAFT == batch.state


async def test_good_frames_before_a_bad_one_are_kept(world: World) -> None:
    """A bad frame ends the upload, after the acks of the ones before it."""
    await world.create("b")
    bad = pb.StreamEntriesRequest(entries=[batch_pb.Entry(custom="x" * 1025)])
    stream = world.batches.StreamEntries(iter([frame(0, 5, batch_id="b"), frame(5, 9), bad]))
    first = await stream.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_rest(stream)

    assert first.entry_count in (5, 9)
    assert "INVALID_REQUEST" == told(caught.value).info.reason
    await check_kept(world, 9)


async def settled(watched: Callable[[], int]) -> None:
    """Wait until a number stays the same while the loop has nothing else to do."""
    before = None
    while before != watched():
        before = watched()
        await asyncio.sleep(0.05)


class GatedStore(MemoryStore):
    """A store whose appends wait until they are let through; it counts their entries."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.began = asyncio.Event()
        self.sizes: list[int] = []

    async def append_entries(self, *args: Any, **more: Any) -> int:
        self.began.set()
        await self.gate.wait()
        self.sizes.append(len(args[3]))
        return await super().append_entries(*args, **more)


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_a_fast_sender_is_held_up(open_world: OpenWorld) -> None:
    """While the disk is busy only a few frames wait in the server, the others at the client."""
    store = GatedStore()
    world = await open_world(store=store)
    await world.create("b")
    sent = 0

    async def frames() -> AsyncIterator[pb.StreamEntriesRequest]:
        nonlocal sent
        padding = "x" * 60_000
        for n in range(500):
            entry = batch_pb.Entry(input_data=f"u{n}@example.org" + padding)
            yield pb.StreamEntriesRequest(batch_id="b", entries=[entry])
            sent += 1

    reading = asyncio.create_task(acks_of(world.batches.StreamEntries(frames())))
    await store.began.wait()
    await settled(lambda: sent)
    held = sent
    store.gate.set()
    acks = await asyncio.wait_for(reading, 20)

    assert held < 400
    assert 500 == len(acks) == acks[-1]
    assert max(store.sizes) <= FRAMES_WAITING + 1


async def acks_of(stream: Any) -> list[int]:
    return [ack.entry_count async for ack in stream]


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_frames_that_wait_are_committed_together(open_world: OpenWorld) -> None:
    """Small frames do not cost a commit each."""
    store = GatedStore()
    world = await open_world(store=store)
    await world.create("b")
    stream = world.batches.StreamEntries()
    for n in range(20):
        await stream.write(frame(n, n + 1, batch_id="b"))
    await stream.done_writing()
    await store.began.wait()
    await settled(lambda: 0)
    store.gate.set()
    acks = await asyncio.wait_for(read_rest(stream), 10)

    assert (20, 20) == (len(acks), acks[-1].entry_count)
    assert 1 + FRAMES_WAITING <= sum(store.sizes[:3])
    assert len(store.sizes) < 20


async def test_an_idle_upload_ends_with_a_drain(open_world: OpenWorld) -> None:
    """A client that is not sending hears that the server goes away."""
    world = await open_world()
    await world.create("b")
    stream = world.batches.StreamEntries()
    await stream.write(frame(0, 3, batch_id="b"))
    await stream.read()
    stopping = asyncio.create_task(world.server.stop(grace_s=30))

    assert grpc.StatusCode.UNAVAILABLE is await stream.code()
    await asyncio.wait_for(stopping, 5)
    assert 3 == (await world.store.get_batch("default", "b")).entry_count


async def test_deleting_the_batch_ends_its_upload(world: World) -> None:
    """The next frame finds the batch gone."""
    await world.create("b")
    stream = world.batches.StreamEntries()
    await stream.write(frame(0, 3, batch_id="b"))
    await stream.read()
    await world.batches.DeleteBatch(pb.DeleteBatchRequest(batch_id="b"))
    await stream.write(frame(3, 4))

    assert grpc.StatusCode.NOT_FOUND is await stream.code()
