"""Results as a log."""

import asyncio

import pytest

from mailvet.batches.drain import Drain
from mailvet.batches.reading import Following, ResultLog, Results, Want
from mailvet.batches.watch import Observer
from mailvet.errors import NotFound
from mailvet.model.batch import Batch, BatchSpec, Entry, ResultFilter
from mailvet.model.status import Classification
from mailvet.store.base import Store
from tests.batches.engine import every_third_missing, work

MISSING = ResultFilter(classifications=frozenset({Classification.UNDELIVERABLE}))


async def launched(store: Store, count: int) -> Batch:
    """Batch `b` with `count` entries, launched."""
    entries = [Entry(f"u{n}@example.org", "", "example.org", 0) for n in range(count)]
    created = await store.create_batch("acme", "b", BatchSpec(), entries, launch=True)
    return created.batch


def results(store: Store) -> Results:
    loop = asyncio.get_running_loop()
    observer = Observer(store, clock=loop.time, wall_clock=loop.time, gap_s=0.0)
    return Results(store, observer, clock=loop.time, gap_s=0.0)


def want(limit: int = 10, where: ResultFilter | None = None, max_bytes: int = 10**6) -> Want:
    return Want(where, limit, max_bytes, lambda row: len(row.doc))


def log(
    store: Store,
    batch: Batch,
    wanted: Want,
    *,
    sequence: int = 0,
    follow: bool = True,
    heartbeat_s: float = 60.0,
    drain: Drain | None = None,
) -> ResultLog:
    return results(store).log(
        batch, sequence, wanted, Following(follow, heartbeat_s, drain or Drain())
    )


async def read_all(reader: ResultLog) -> list[int]:
    """The entry indexes of everything the reader gives."""
    indexes: list[int] = []
    while (frame := await asyncio.wait_for(reader.next(), 5)) is not None:
        indexes += [row.entry_index for row in frame.rows]
    return indexes


async def test_everything_is_read_once(store: Store) -> None:
    """A finished batch is read to its end in frames of at most the asked size."""
    batch = await launched(store, 25)
    await work(store)
    reader = log(store, batch, want(10))
    sizes, last = [], None
    while (frame := await reader.next()) is not None:
        sizes.append(len(frame.rows))
        last = frame

    assert [10, 10, 5] == sizes
    assert last is not None
    assert (True, True, 25) == (last.caught_up, last.done, last.sequence)
    assert last.standing is not None
    assert 25 == last.standing.progress.result_count


async def test_a_reader_follows_the_work(store: Store) -> None:
    """Results are read while they come, none twice and none left out."""
    batch = await launched(store, 200)
    reading = asyncio.create_task(read_all(log(store, batch, want(7))))
    await work(store, a_time=3)

    assert list(range(200)) == sorted(await asyncio.wait_for(reading, 10))


async def test_resuming_at_every_place_gives_the_rest(store: Store) -> None:
    """Whatever the place, a reader gets exactly what lies behind it."""
    batch = await launched(store, 12)
    await work(store)
    everything = await read_all(log(store, batch, want(100)))
    for place in range(13):
        rest = await read_all(log(store, batch, want(5), sequence=place))
        assert everything[place:] == rest


async def test_without_following_it_ends_when_it_has_caught_up(store: Store) -> None:
    """A caller who does not follow gets what is there, and an end."""
    batch = await launched(store, 20)
    await work(store, 10, a_time=10)
    reader = log(store, batch, want(100), follow=False)
    first = await reader.next()

    assert first is not None
    assert (True, False) == (first.caught_up, first.done)
    assert await reader.next() is None


async def test_caught_up_is_said_once(store: Store) -> None:
    """At the live edge the reader hears so, then nothing until there is something."""
    batch = await launched(store, 20)
    reader = log(store, batch, want())
    first = await reader.next()
    second = asyncio.create_task(reader.next())
    await asyncio.sleep(0)

    assert first is not None
    assert ([], True) == (first.rows, first.caught_up)
    assert not second.done()
    await work(store, 1)
    frame = await asyncio.wait_for(second, 5)
    assert frame is not None
    assert frame.rows


async def test_a_filter_moves_the_place_over_what_it_holds_back(store: Store) -> None:
    """With a filter the place after the last frame is the end of the log all the same."""
    batch = await launched(store, 31)
    await work(store, choose=every_third_missing)
    reader = log(store, batch, want(4, MISSING))
    indexes: list[int] = []
    sequence = 0
    while (frame := await reader.next()) is not None:
        indexes += [row.entry_index for row in frame.rows]
        sequence = frame.sequence

    assert list(range(0, 31, 3)) == sorted(indexes)
    assert 31 == sequence


@pytest.mark.parametrize("where", [None, MISSING])
async def test_a_frame_is_cut_by_its_bytes(store: Store, where: ResultFilter | None) -> None:
    """However many results are asked for, a frame stays small, and nothing is lost."""
    batch = await launched(store, 30)
    await work(store, choose=every_third_missing)
    size = len((await store.results_after("acme", "b", 0, limit=1)).rows[0].doc)
    reader = log(store, batch, want(100, where, max_bytes=3 * size + 2))
    frames = []
    while (frame := await reader.next()) is not None:
        frames.append([row.entry_index for row in frame.rows])

    assert max(map(len, frames)) <= 3
    expected = range(30) if where is None else range(0, 30, 3)
    assert list(expected) == sorted(index for frame in frames for index in frame)


async def test_one_result_always_fits(store: Store) -> None:
    """A result larger than a frame is a frame of its own: nobody gets stuck on it."""
    batch = await launched(store, 3)
    await work(store)

    assert 3 == len(await read_all(log(store, batch, want(100, max_bytes=1))))


async def test_a_quiet_reader_hears_something(store: Store) -> None:
    """After the heartbeat comes a frame without results, with progress."""
    batch = await launched(store, 3)
    reader = log(store, batch, want(), heartbeat_s=0.01)
    await reader.next()
    frame = await asyncio.wait_for(reader.next(), 5)

    assert frame is not None
    assert [] == frame.rows
    assert frame.standing is not None


async def test_a_drain_is_the_last_frame(store: Store) -> None:
    """When the server goes away, the reader gets its place and the end."""
    batch = await launched(store, 3)
    drain = Drain()
    reader = log(store, batch, want(), drain=drain)
    await reader.next()
    waiting = asyncio.create_task(reader.next())
    drain.begin()
    frame = await asyncio.wait_for(waiting, 5)

    assert frame is not None
    assert frame.going_away
    assert await reader.next() is None


async def test_cancelling_ends_the_log(store: Store) -> None:
    """A cancelled batch keeps its results; who follows it hears that it is done."""
    batch = await launched(store, 20)
    await work(store, 5, a_time=5)
    reading = asyncio.create_task(read_all(log(store, batch, want())))
    await store.cancel_batch("acme", "b")

    assert await asyncio.wait_for(reading, 5)


async def test_deleting_ends_the_log(store: Store) -> None:
    """Who follows a deleted batch hears that it is gone."""
    batch = await launched(store, 3)
    reader = log(store, batch, want())
    await reader.next()
    waiting = asyncio.create_task(reader.next())
    await store.delete_batch("acme", "b", force=True)

    with pytest.raises(NotFound):
        await asyncio.wait_for(waiting, 5)
