"""How a batch stands."""

import asyncio
from collections.abc import Callable

import pytest

from mailvet.batches.drain import Drain
from mailvet.batches.watch import Observer
from mailvet.errors import NotFound
from mailvet.model.batch import BatchSpec, Entry
from mailvet.model.status import BatchState
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from tests.batches.engine import postpone, work
from tests.store.samples import Clock


async def launched(store: Store, count: int = 10) -> None:
    """Batch `b` with `count` entries, launched."""
    entries = [Entry(f"u{n}@example.org", "", "example.org", 0) for n in range(count)]
    await store.create_batch("acme", "b", BatchSpec(), entries, launch=True)


def observer(store: Store, wall_clock: Callable[[], float] | None = None) -> Observer:
    loop = asyncio.get_running_loop()
    return Observer(store, clock=loop.time, wall_clock=wall_clock or loop.time, gap_s=0.0)


async def test_a_draft_has_no_rate(store: Store) -> None:
    """Nothing runs, so nothing is said about speed."""
    await store.create_batch("acme", "b", BatchSpec())
    standing = await observer(store).look("acme", "b")

    assert (BatchState.DRAFT, 0.0, None) == (
        standing.batch.state,
        standing.rate,
        standing.remaining_s,
    )


async def test_a_running_batch_has_a_rate_and_a_guess(store: Store) -> None:
    """Half done in two seconds: as much time remains."""
    await launched(store)
    await work(store, 5, a_time=1)
    batch = await store.get_batch("acme", "b")
    standing = await observer(store, lambda: (batch.launch_time or 0) + 2).look("acme", "b")

    assert (2.5, 2) == (standing.rate, standing.remaining_s)


async def test_waiting_for_a_retry_is_said(store: Store) -> None:
    """When all that is left waits for a later attempt, the caller reads so."""
    await launched(store)
    await postpone(store, run_at=4_000_000_000.0)
    standing = await observer(store, lambda: 3_999_999_000.0).look("acme", "b")

    assert ["WAITING_FOR_RETRY"] == [kind for kind, _ in standing.hindrances]
    assert "10 entries" in standing.hindrances[0][1]
    assert 1000 == standing.remaining_s


async def test_what_holds_up_all_work_is_said(store: Store) -> None:
    """A closed port of ours stands in the progress of every running batch."""
    await launched(store)
    await store.note_hindrance("LOCAL_EGRESS_UNAVAILABLE", "port 25 is closed")
    standing = await observer(store).look("acme", "b")

    assert (("LOCAL_EGRESS_UNAVAILABLE", "port 25 is closed"),) == standing.hindrances


async def test_a_wait_ends_with_the_batch(store: Store) -> None:
    """Who waits for the end hears of it when it comes."""
    await launched(store)
    waiting = asyncio.create_task(
        observer(store).look_at_end("acme", "b", wait_s=60, drain=Drain())
    )
    await work(store)

    assert BatchState.COMPLETED is (await asyncio.wait_for(waiting, 5)).batch.state


async def test_a_wait_ends_with_its_time(store: Store) -> None:
    """Who waits too short gets the state as it is then."""
    await launched(store)
    times = iter([0.0, 61.0])
    watcher = Observer(store, clock=lambda: next(times, 61.0), wall_clock=lambda: 0.0, gap_s=0.0)
    standing = await watcher.look_at_end("acme", "b", wait_s=60, drain=Drain())

    assert BatchState.RUNNING is standing.batch.state


async def test_a_wait_ends_with_a_drain(store: Store) -> None:
    """A server that goes away answers at once."""
    await launched(store)
    drain = Drain()
    waiting = asyncio.create_task(observer(store).look_at_end("acme", "b", wait_s=60, drain=drain))
    drain.begin()

    assert BatchState.RUNNING is (await asyncio.wait_for(waiting, 5)).batch.state


async def test_a_watch_ends_with_the_end(store: Store) -> None:
    """Frames come with changes; the last one is done and has the final counts."""
    await launched(store, 30)
    batch = await store.get_batch("acme", "b")
    watch = observer(store).watch(batch, heartbeat_s=60, drain=Drain())
    first = await watch.next()
    working = asyncio.create_task(work(store, a_time=5))
    frames = [first]
    while not frames[-1].done:
        frames.append(await asyncio.wait_for(watch.next(), 5))
    counts = [frame.standing.progress.result_count for frame in frames]
    await working

    assert counts == sorted(counts)
    assert (0, 30) == (counts[0], counts[-1])


async def test_a_slow_watcher_gets_the_newest(store: Store) -> None:
    """Changes between two frames are one frame."""
    await launched(store, 30)
    batch = await store.get_batch("acme", "b")
    watch = observer(store).watch(batch, heartbeat_s=60, drain=Drain())
    await watch.next()
    await work(store, a_time=10)

    assert (await watch.next()).done


async def test_a_quiet_watch_says_something(store: Store) -> None:
    """After the heartbeat there is a frame though nothing changed."""
    await launched(store)
    batch = await store.get_batch("acme", "b")
    watch = observer(store).watch(batch, heartbeat_s=0.01, drain=Drain())
    await watch.next()
    frame = await asyncio.wait_for(watch.next(), 5)

    assert not frame.done


async def test_a_watch_says_that_the_server_goes_away(store: Store) -> None:
    """A drain is a frame of its own."""
    await launched(store)
    batch = await store.get_batch("acme", "b")
    drain = Drain()
    watch = observer(store).watch(batch, heartbeat_s=60, drain=drain)
    await watch.next()
    drain.begin()

    assert (await watch.next()).going_away


async def test_a_deleted_batch_ends_its_watch(store: Store) -> None:
    """Deleting is a change too: the watcher hears that the batch is gone."""
    await launched(store)
    batch = await store.get_batch("acme", "b")
    watch = observer(store).watch(batch, heartbeat_s=60, drain=Drain())
    await watch.next()
    waiting = asyncio.create_task(watch.next())
    await store.delete_batch("acme", "b", force=True)

    with pytest.raises(NotFound):
        await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize(
    ("burst", "from_tenth", "idle_s"),
    [
        *((burst, 1, 0.0) for burst in (1, 20, 100, 250)),
        *((burst, 3, 0.0) for burst in (1, 20, 100)),
        *((burst, 0, 5.0) for burst in (1, 20, 100)),
    ],
)
async def test_the_remaining_time_of_a_steady_batch_is_right(
    burst: int, from_tenth: int, idle_s: float
) -> None:
    """Within 30 % at every look from the first tenth on, also for who looks later for the first
    time, though results come in bursts and the first of them late."""
    count, per_s = 2_000, 20.0
    clock = Clock()
    store = MemoryStore(clock=clock, lease_clock=clock)
    await launched(store, count)
    watcher = Observer(store, clock=clock, wall_clock=clock)
    for _ in range(int(idle_s)):
        clock.advance(1.0)
        assert (await watcher.look("acme", "b")).remaining_s is None
    start = clock.now
    for done in range(burst, count * 9 // 10, burst):
        clock.now = start + done / per_s
        await work(store, burst)
        if done < count * from_tenth / 10:
            continue
        clock.advance(0.25)
        standing = await watcher.look("acme", "b")
        if done < count / 10:
            continue
        left_s = (count - done) / per_s - 0.25

        assert standing.remaining_s == pytest.approx(left_s, rel=0.3)


async def test_what_is_under_way_is_counted(store: Store) -> None:
    """Entries are done, under way, waiting or queued."""
    await launched(store, 10)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=1)
    progress = (await observer(store).look("acme", "b")).progress

    assert (0, len(claim.entries), 0) == (
        progress.result_count,
        progress.active_count,
        progress.waiting_count,
    )
