"""ResultService over the wire."""

import asyncio
import gc
import random
from typing import Any

import grpc
import pytest

from mailvet.batches.limits import MAX_FRAME_BYTES, MAX_PAGE_BYTES
from mailvet.store.memory import MemoryStore
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as batch_service_pb
from mailvet.v1 import result_pb2, status_pb2
from mailvet.v1 import result_service_pb2 as pb
from tests import validators
from tests.batches.engine import every_third_missing, postpone, work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, open_channel, read_rest
from tests.validators import indexes

MISSING = pb.ResultFilter(classifications=[status_pb2.CLASSIFICATION_UNDELIVERABLE])


def stream(world: World, **asked: Any) -> Any:
    """An open StreamResults of batch `b`."""
    return world.results.StreamResults(pb.StreamResultsRequest(batch_id="b", **asked))


async def read(world: World, **asked: Any) -> list[pb.StreamResultsResponse]:
    """Every frame of a stream of batch `b`, to its end, held to what every stream promises."""
    frames = [frame async for frame in stream(world, **asked)]
    validators.unique(frames)
    validators.bookmarkable(frames)
    if "cursor" not in asked:
        validators.atomic(frames)
    return frames


async def test_a_finished_batch_is_read_to_its_end(world: World) -> None:
    """Frames of the asked size, a cursor in each, `done` in the last."""
    await world.create("b", 250, launch=True)
    await work(world.store)
    frames = await read(world, max_results=100)

    assert [100, 100, 50] == [len(frame.results) for frame in frames]
    assert 250 == len(set(indexes(frames)))
    assert [False, False, True] == [frame.done for frame in frames]
    assert all(frame.cursor.isascii() and frame.cursor for frame in frames)
    assert 250 == frames[-1].progress.result_count


async def test_results_come_while_the_batch_runs(world: World) -> None:
    """A follower gets each result once, as soon as it is there."""
    await world.create("b", 300, launch=True)
    reading = asyncio.create_task(read(world))
    await work(world.store, a_time=7)
    frames = await asyncio.wait_for(reading, 20)

    validators.complete(frames, 300)


@pytest.mark.parametrize("filtered", [None, MISSING])
async def test_every_cursor_resumes_exactly(world: World, filtered: pb.ResultFilter | None) -> None:
    """Cut anywhere, resumed with the last cursor: nothing twice, nothing missing."""
    await world.create("b", 40, launch=True)
    await work(world.store, choose=every_third_missing)
    frames = await read(world, max_results=3, filter=filtered)
    everything = indexes(frames)
    for cut in range(len(frames)):
        rest = await read(world, max_results=5, filter=filtered, cursor=frames[cut].cursor)
        validators.resumable(frames, frames[: cut + 1], rest)

    assert (40 if filtered is None else 14) == len(everything)


async def test_the_view_may_change_at_a_cut(world: World) -> None:
    """A cursor is bound to the filter, not to how much of each result is sent."""
    await world.create("b", 4, launch=True)
    await work(world.store)
    first = (await read(world, max_results=2, view=result_pb2.RESULT_VIEW_BASIC))[0]
    rest = await read(world, cursor=first.cursor, view=result_pb2.RESULT_VIEW_EVIDENCE)

    assert 2 == len(indexes(rest))


async def test_views(world: World) -> None:
    """BASIC, FULL (the default) and EVIDENCE differ as documented."""
    await world.create("b", 1, launch=True)
    await work(world.store)
    found = {}
    for view in (0, 1, 2, 3):
        ((result,),) = [frame.results for frame in await read(world, view=view)]
        found[view] = (bool(result.mx_hosts), result.HasField("evidence"))
        assert "u0@example.org" == result.input_data

    assert {0: (True, False), 1: (False, False), 2: (True, False), 3: (True, True)} == found


async def test_a_filter_lets_its_results_through(world: World) -> None:
    """Only what was asked for comes, and the end is said all the same."""
    await world.create("b", 30, launch=True)
    await work(world.store, choose=every_third_missing)
    frames = await read(world, filter=MISSING, max_results=4)
    excluded = pb.ResultFilter(exclude_statuses=[status_pb2.ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST])

    assert list(range(0, 30, 3)) == sorted(indexes(frames))
    assert frames[-1].done
    assert 20 == len(indexes(await read(world, filter=excluded)))


async def test_without_follow_a_stream_ends_at_the_edge(world: World) -> None:
    """A caller who does not follow gets what is there."""
    await world.create("b", 10, launch=True)
    await work(world.store, 4)
    frames = await read(world, follow=False)

    assert 4 == len(indexes(frames))
    assert (True, False, 4) == (
        frames[-1].caught_up,
        frames[-1].done,
        frames[-1].progress.result_count,
    )


async def test_a_quiet_stream_has_heartbeats(world: World) -> None:
    """Heartbeats have no results, progress, and a cursor that resumes."""
    await world.create("b", 10, launch=True)
    await work(world.store, 4)
    request = pb.StreamResultsRequest(batch_id="b")
    request.heartbeat_interval.FromMilliseconds(20)
    reading = world.results.StreamResults(request)
    first = await reading.read()
    beats = [await reading.read() for _ in range(3)]
    reading.cancel()

    assert [0, 0, 0] == [len(frame.results) for frame in beats]
    assert [4, 4, 4] == [frame.progress.result_count for frame in beats]
    assert {first.cursor} == {frame.cursor for frame in beats}
    await work(world.store)
    assert 6 == len(indexes(await read(world, cursor=beats[-1].cursor)))


async def test_a_drained_stream_says_how_to_go_on(open_world: OpenWorld) -> None:
    """The last frame has the cursor and the delay; the status asks to come back."""
    world = await open_world()
    await world.create("b", 10, launch=True)
    await work(world.store, 4)
    reading = stream(world)
    first = await reading.read()
    stopping = asyncio.create_task(world.server.stop(grace_s=30))
    last = await reading.read()

    assert (1, first.cursor) == (last.going_away.retry_delay.seconds, last.cursor)
    assert grpc.StatusCode.UNAVAILABLE is await reading.code()
    await asyncio.wait_for(stopping, 5)
    await work(world.store)
    other = await open_world()
    assert 6 == len(indexes(await read(other, cursor=last.cursor)))


async def large(world: World, count: int, size: int) -> None:
    """Batch `b` with `count` results of about `size` bytes."""
    await world.create("b")
    for n in range(count):
        entry = batch_pb.Entry(input_data=f"u{n}@example.org" + "x" * size)
        added = batch_service_pb.AddEntriesRequest(batch_id="b", entries=[entry])
        await world.batches.AddEntries(added)
    await world.batches.LaunchBatch(batch_service_pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)


async def test_frames_stay_small(world: World) -> None:
    """However large the results, a frame has at most 256 KiB, and none is lost."""
    await large(world, 20, 60_000)
    frames = await read(world, max_results=1000)

    assert max(frame.ByteSize() for frame in frames) <= MAX_FRAME_BYTES
    assert len(frames) > 1
    assert list(range(20)) == sorted(indexes(frames))


async def test_pages_stay_small(world: World) -> None:
    """A page is cut before clients refuse it, and the token goes on behind the cut."""
    await large(world, 12, 60_000)
    request = pb.ListResultsRequest(batch_id="b", page_size=1000)
    seen: list[int] = []
    pages = 0
    while True:
        page = await world.results.ListResults(request)
        pages += 1
        assert page.ByteSize() <= MAX_PAGE_BYTES + 200
        seen += [result.index for result in page.results]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break

    assert list(range(12)) == sorted(seen)
    assert pages > 1


async def test_pages_hold_everything_once(world: World) -> None:
    """Following the tokens gives every result, filtered or not."""
    await world.create("b", 25, launch=True)
    await work(world.store, choose=every_third_missing)
    for filtered, expected in ((None, range(25)), (MISSING, range(0, 25, 3))):
        request = pb.ListResultsRequest(batch_id="b", page_size=4, filter=filtered)
        seen: list[int] = []
        while True:
            page = await world.results.ListResults(request)
            seen += [result.index for result in page.results]
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        assert list(expected) == sorted(seen)


async def test_pages_lead_back_to_the_start(world: World) -> None:
    """Each page says where the one before it is, filtered or not; the first says nothing."""
    await world.create("b", 25, launch=True)
    await work(world.store, choose=every_third_missing)
    for filtered in (None, MISSING):
        request = pb.ListResultsRequest(batch_id="b", page_size=4, filter=filtered)
        there: list[list[int]] = []
        page = await world.results.ListResults(request)
        assert "" == page.previous_page_token
        while True:
            there.append([result.index for result in page.results])
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
            page = await world.results.ListResults(request)
        back = [there[-1]]
        while page.previous_page_token:
            request.page_token = page.previous_page_token
            page = await world.results.ListResults(request)
            back.append([result.index for result in page.results])
        assert there == back[::-1]


async def test_one_entry(world: World) -> None:
    """GetResult says where an entry stands: pending, waiting with a time, done."""
    await world.create("b", 3, launch=True)
    pending = await world.results.GetResult(pb.GetResultRequest(batch_id="b", index=2))
    await work(world.store, 1)
    await postpone(world.store, run_at=4_000_000_000.0)
    found = [
        await world.results.GetResult(pb.GetResultRequest(batch_id="b", index=index))
        for index in range(3)
    ]
    done = [one for one in found if one.state == pb.ENTRY_STATE_DONE]
    waiting = [one for one in found if one.state == pb.ENTRY_STATE_WAITING]

    assert pb.ENTRY_STATE_PENDING == pending.state
    assert (1, 2) == (len(done), len(waiting))
    assert status_pb2.ENTRY_STATUS_SUCCESS == done[0].result.status
    assert {4_000_000_000} == {one.next_attempt_time.seconds for one in waiting}


async def test_a_deleted_batch_ends_its_streams(world: World) -> None:
    """Who follows a batch that is deleted hears that it is gone."""
    await world.create("b", 3, launch=True)
    reading = stream(world)
    await reading.read()
    await world.batches.DeleteBatch(batch_service_pb.DeleteBatchRequest(batch_id="b", force=True))

    assert grpc.StatusCode.NOT_FOUND is await reading.code()


class CountingStore(MemoryStore):
    """Counts how often results are read."""

    reads = 0

    async def joined_after(self, *args: Any, **more: Any) -> Any:
        self.reads += 1
        return await super().joined_after(*args, **more)


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_a_slow_reader_holds_up_its_own_stream(open_world: OpenWorld) -> None:
    """What is not read stays in the store: nothing is buffered ahead but the transport's share."""
    store = CountingStore()
    world = await open_world(store=store)
    await large(world, 400, 60_000)
    async with open_channel(world.server.port) as channel:
        slow = World(store, world.server, channel, None, world.metrics, world.logs)
        reading = stream(slow, max_results=4)
        first = await reading.read()
        before = -1
        while before != store.reads:
            before = store.reads
            await asyncio.sleep(0.05)
        stalled_at = store.reads
        rest = await read_rest(reading)

    assert stalled_at < 90
    assert 400 == len(indexes([first, *rest]))


@pytest.mark.parametrize("store", ["memory"], indirect=True)
async def test_cancelled_readers_leave_nothing_behind(open_world: OpenWorld) -> None:
    """200 clients cut their stream at random points: no task stays, each resume is exact."""
    world = await open_world(store=MemoryStore())
    await world.create("b", 400, launch=True)
    await work(world.store, 300)
    chance = random.Random(1)
    await cancel_streams(world, chance, 20)
    gc.collect()
    tasks = len(asyncio.all_tasks())
    await cancel_streams(world, chance, 180)
    method = "mailvet.v1.ResultService/StreamResults"
    while world.metrics.open_calls(method):
        await asyncio.sleep(0.01)

    assert len(asyncio.all_tasks()) <= tasks
    codes = {count.code for count in world.metrics.counts() if count.method == method}
    assert {"CANCELLED", "OK"} == codes
    assert not any(entry["event"] == "rpc.fault" for entry in world.logs)


async def cancel_streams(world: World, chance: random.Random, count: int) -> None:
    """Open streams, read a few frames of each, cancel, and check what a resume would give."""
    for _ in range(count):
        reading = stream(world, max_results=chance.randrange(1, 40))
        got: list[int] = []
        cursor = ""
        for _ in range(chance.randrange(0, 5)):
            frame = await reading.read()
            got += [result.index for result in frame.results]
            cursor = frame.cursor
        reading.cancel()
        if chance.random() < 0.1:
            rest = await read(world, cursor=cursor, follow=False, max_results=1000)
            assert 300 == len(got) + len(indexes(rest)) == len({*got, *indexes(rest)})
