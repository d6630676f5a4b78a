"""Group commit: one flush for many callers, and what one caller cannot do to another."""

import asyncio
import threading
from pathlib import Path

import pytest

from mailvet.errors import NotFound, Unavailable
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_writer import QUEUE_LIMIT, Transaction
from tests.store.samples import SPEC, TENANT, entries


async def hold(store: SqliteStore) -> threading.Event:
    """Keep the writer busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def operation(_: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    task = asyncio.create_task(store._file.write(operation))
    await asyncio.to_thread(begun.wait)
    task.add_done_callback(lambda done: done.exception())
    return go_on


async def test_what_is_queued_together_is_committed_together(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Twenty uploads write fewer pages to the log than twenty commits would have to."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    log = tmp_path / "store.db-wal"
    size = log.stat().st_size
    go_on = await hold(sqlite)
    appends = [
        asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(1)))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    go_on.set()
    assert list(range(1, 21)) == await asyncio.gather(*appends)
    assert 20 > (log.stat().st_size - size) // 4096


async def test_a_refused_operation_leaves_its_neighbours_alone(sqlite: SqliteStore) -> None:
    """One is refused and undone, the others of the same commit are kept."""
    await sqlite.create_batch(TENANT, "b1", SPEC)

    def refused(transaction: Transaction) -> None:
        transaction.connection.execute("DELETE FROM batch")
        raise NotFound("batch", "x")

    go_on = await hold(sqlite)
    before = asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(2)))
    failing = asyncio.create_task(sqlite._file.write(refused))
    after = asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(3)))
    await asyncio.sleep(0)
    go_on.set()
    assert (2, 5) == (await before, await after)
    with pytest.raises(NotFound):
        await failing
    assert 5 == (await sqlite.get_batch(TENANT, "b1")).entry_count


async def test_our_own_mistake_is_told_to_its_caller_only(sqlite: SqliteStore) -> None:
    """An unexpected error undoes what was shared; the others are done again by themselves."""
    await sqlite.create_batch(TENANT, "b1", SPEC)

    def broken(transaction: Transaction) -> None:
        transaction.connection.execute("DELETE FROM batch")
        raise ZeroDivisionError

    go_on = await hold(sqlite)
    before = asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(2)))
    failing = asyncio.create_task(sqlite._file.write(broken))
    await asyncio.sleep(0)
    go_on.set()
    assert 2 == await before
    with pytest.raises(ZeroDivisionError):
        await failing
    assert 2 == (await sqlite.get_batch(TENANT, "b1")).entry_count


async def test_a_cancelled_caller_leaves_all_or_nothing(sqlite: SqliteStore) -> None:
    """Calls cancelled at every stage keep whole uploads, and the store goes on."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    for patience in range(20):
        task = asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(7)))
        for _ in range(patience):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    total = await sqlite.append_entries(TENANT, "b1", None, entries(7))
    assert 0 == total % 7
    assert total == (await sqlite.get_batch(TENANT, "b1")).entry_count


async def test_what_is_cancelled_while_it_is_queued_is_not_done(sqlite: SqliteStore) -> None:
    """The writer passes it over, and its place in the queue is free again."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    go_on = await hold(sqlite)
    tasks = [
        asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(1)))
        for _ in range(QUEUE_LIMIT * 3)
    ]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    go_on.set()
    assert 1 == await sqlite.append_entries(TENANT, "b1", None, entries(1))


async def test_more_callers_than_the_queue_holds_are_all_served(sqlite: SqliteStore) -> None:
    """Those beyond it wait for room."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    appends = (
        sqlite.append_entries(TENANT, "b1", None, entries(1)) for _ in range(QUEUE_LIMIT * 3)
    )
    assert set(range(1, QUEUE_LIMIT * 3 + 1)) == set(await asyncio.gather(*appends))


async def test_closing_commits_what_was_queued_and_refuses_what_comes_later(
    sqlite: SqliteStore,
) -> None:
    """Every acked call was kept; a call after the end is told so, and closing twice is harmless."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    appends = [
        asyncio.create_task(sqlite.append_entries(TENANT, "b1", None, entries(1)))
        for _ in range(10)
    ]
    await asyncio.sleep(0)
    await sqlite.close()
    assert list(range(1, 11)) == sorted([await append for append in appends])
    with pytest.raises(Unavailable, match="closed"):
        await sqlite.append_entries(TENANT, "b1", None, entries(1))
    with pytest.raises(Unavailable, match="closed"):
        await sqlite.get_batch(TENANT, "b1")
    await sqlite.close()
