"""An event that rides with the write it is about: both or neither, once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailvet.errors import AlreadyExists
from mailvet.model.audit import AuditFilter
from mailvet.model.batch import BatchSpec
from mailvet.store.riding import RIDER, Rider
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_file import driver
from tests.store.test_base_audit import ONE


@contextmanager
def riding() -> Iterator[Rider]:
    """An event that waits for a write of this task."""
    rider = Rider(ONE)
    token = RIDER.set(rider)
    yield rider
    RIDER.reset(token)


async def rows(store: SqliteStore) -> int:
    """How many events there are."""
    return len(await store.list_audit(AuditFilter(), limit=10))


async def test_it_is_written_with_the_first_write(sqlite: SqliteStore) -> None:
    """And with no other one."""
    with riding() as rider:
        await sqlite.create_batch("acme", "a", BatchSpec())
        assert rider.written
        await sqlite.create_batch("acme", "b", BatchSpec())
    assert 1 == await rows(sqlite)


async def test_a_refused_write_takes_nothing_along(sqlite: SqliteStore) -> None:
    """The next one may."""
    await sqlite.create_batch("acme", "a", BatchSpec())
    with riding() as rider:
        with pytest.raises(AlreadyExists):
            await sqlite.create_batch("acme", "a", BatchSpec())
        assert not rider.written
        assert 0 == await rows(sqlite)
        await sqlite.create_batch("acme", "b", BatchSpec())
    assert rider.written
    assert 1 == await rows(sqlite)


async def test_of_two_writes_at_once_one_has_it(sqlite: SqliteStore) -> None:
    """It is never there twice."""
    with riding():
        await asyncio.gather(
            *(sqlite.create_batch("acme", name, BatchSpec()) for name in ("a", "b", "c"))
        )
    assert 1 == await rows(sqlite)


async def test_who_hangs_up_learns_how_it_ended(sqlite: SqliteStore) -> None:
    """A write that was cancelled is done or not, and the event is where the write is."""
    for number in range(20):
        with riding() as rider:
            write = asyncio.create_task(sqlite.create_batch("acme", f"b{number}", BatchSpec()))
            for _ in range(number % 4):
                await asyncio.sleep(0)
            write.cancel()
            await asyncio.gather(write, return_exceptions=True)
        written = await rider.settled()
        there = {batch.batch_id for batch in await sqlite.list_batches("acme")}
        assert written == (f"b{number}" in there)
    assert len(await sqlite.list_batches("acme")) == await rows_up_to(sqlite, 20)


async def rows_up_to(store: SqliteStore, limit: int) -> int:
    """How many events there are, of so many at most."""
    return len(await store.list_audit(AuditFilter(), limit=limit))


async def test_no_row_is_ever_changed(sqlite: SqliteStore) -> None:
    """The file itself refuses it."""
    await sqlite.add_audit([ONE])
    with pytest.raises(driver.IntegrityError, match="append-only"):
        await sqlite._file.write(
            lambda transaction: transaction.connection.execute("UPDATE audit SET code = 'OK'")
        )
    assert 1 == await rows(sqlite)
