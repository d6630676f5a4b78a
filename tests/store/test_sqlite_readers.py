"""Reads are of one moment, beside the writer and beside each other."""

import asyncio
import threading

from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_readers import READERS
from tests.store.samples import SPEC, TENANT, entries


def count(connection: Connection) -> int:
    """Return how many entries there are."""
    found: int = connection.execute("SELECT count(*) FROM entry").fetchone()[0]
    return found


async def test_a_read_sees_one_moment_and_holds_up_nobody(sqlite: SqliteStore) -> None:
    """What is committed meanwhile is not in it, but in the next one."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))
    begun, go_on = threading.Event(), threading.Event()

    def query(connection: Connection) -> tuple[int, int]:
        before = count(connection)
        begun.set()
        go_on.wait(10)
        return before, count(connection)

    reading = asyncio.create_task(sqlite._file.read(query))
    await asyncio.to_thread(begun.wait)
    await sqlite.append_entries(TENANT, "b1", None, entries(4))
    assert 7 == await sqlite._file.read(count)
    go_on.set()
    assert (3, 3) == await reading


async def test_more_reads_than_connections_wait_for_their_turn(sqlite: SqliteStore) -> None:
    """All of them are answered."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))
    reads = (sqlite._file.read(count) for _ in range(READERS * 10))
    assert [3] * READERS * 10 == await asyncio.gather(*reads)
