"""Deleted means gone from disk: canaries are looked for in every file."""

import asyncio
import shutil
import threading
from pathlib import Path

from mailvet.model.batch import BatchSpec, Entry, ResultRow, Settlement
from mailvet.store import sqlite_erase
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_file import Connection
from tests.store.samples import TENANT, Clock, entries, open_sqlite

CANARY = b"canary"


def canaries(folder: Path, pattern: bytes = CANARY) -> dict[str, int]:
    """Return how often the canary is in each file of a folder, where it is at all."""
    counts = {path.name: path.read_bytes().count(pattern) for path in folder.iterdir()}
    return {name: count for name, count in counts.items() if count}


def singing(count: int, name: str = "canary") -> list[Entry]:
    """Return entries that have a canary in every text."""
    return [
        Entry(f"{name}{n}@x.example", f"{name}-c{n}", f"{name}{n}.example", 0) for n in range(count)
    ]


async def sing(store: SqliteStore, batch_id: str, name: str = "canary", count: int = 600) -> None:
    """Create a batch with canaries everywhere and finish two thirds of it."""
    spec = BatchSpec(name=name, description=name, labels={name: name})
    await store.create_batch(TENANT, batch_id, spec, singing(count, name), launch=True)
    await store.plan_launched()
    claims = await store.claim("w", max_entries=count)
    for claim in claims[: len(claims) * 2 // 3]:
        rows = [
            ResultRow(one.entry_index, 1, 1, f"{name}{one.entry_index}".encode() * 9, 9, b"canary")
            for one in claim.entries
        ]
        await store.settle([Settlement(claim, rows, [])])


async def test_nothing_of_a_deleted_batch_is_left_on_disk(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Neither in the tables nor in the log, while the store is open and after it was closed."""
    await sing(sqlite, "b1")
    assert {"store.db-wal"} <= canaries(tmp_path).keys()
    await sqlite.delete_batch(TENANT, "b1", force=True)
    assert {} == canaries(tmp_path)
    await sqlite.close()
    assert {} == canaries(tmp_path)


async def test_nothing_of_a_file_is_left_on_disk(sqlite: SqliteStore, tmp_path: Path) -> None:
    """Neither its bytes nor its name, nor the labels of entries."""
    await sqlite.create_batch(TENANT, "b1", BatchSpec())
    await sqlite.open_upload(TENANT, "b1", "canary.csv", '"canary"')
    for n in range(5):
        await sqlite.append_upload(TENANT, "b1", n * 600_000, CANARY * 100_000)
    await sqlite.append_entries(
        TENANT, "b1", 0, [one._replace(labels="canary") for one in entries(9)]
    )
    await sqlite.finish_upload(TENANT, "b1", "canary")
    assert canaries(tmp_path)
    await sqlite.delete_batch(TENANT, "b1", force=False)
    assert {} == canaries(tmp_path)


async def test_a_batch_among_others_is_erased_alone(sqlite: SqliteStore, tmp_path: Path) -> None:
    """Its neighbours were written in turns with it, and keep every entry and result."""
    await sqlite.create_batch(TENANT, "mine", BatchSpec())
    await sqlite.create_batch(TENANT, "other", BatchSpec())
    for _ in range(40):
        await sqlite.append_entries(TENANT, "mine", None, singing(50))
        await sqlite.append_entries(TENANT, "other", None, entries(50))
    assert canaries(tmp_path)
    await sqlite.delete_batch(TENANT, "mine", force=False)
    assert {} == canaries(tmp_path)
    await sqlite.launch_batch(TENANT, "other")
    await sqlite.plan_launched()
    claims = await sqlite.claim("w", max_entries=5_000)
    assert 2_000 == sum(len(claim.entries) for claim in claims)


async def test_a_read_that_began_before_does_not_keep_the_log(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """The delete waits for it, and others are served meanwhile."""
    await sing(sqlite, "b1")
    begun, go_on = threading.Event(), threading.Event()

    def long_read(connection: Connection) -> None:
        connection.execute("SELECT count(*) FROM entry").fetchone()
        begun.set()
        go_on.wait(10)

    reading = asyncio.create_task(sqlite._file.read(long_read))
    await asyncio.to_thread(begun.wait)
    deleting = asyncio.create_task(sqlite.delete_batch(TENANT, "b1", force=True))
    await sqlite.create_batch(TENANT, "b2", BatchSpec())
    assert not deleting.done()
    go_on.set()
    await reading
    assert 600 == await deleting
    assert {} == canaries(tmp_path)


async def test_a_caller_that_goes_away_does_not_stop_an_erasure(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """What was hidden is erased by the time the store is closed."""
    await sing(sqlite, "b1")
    deleting = asyncio.create_task(sqlite.delete_batch(TENANT, "b1", force=True))
    while not sqlite._file._chores:
        await asyncio.sleep(0)
    deleting.cancel()
    await asyncio.wait([deleting])
    await sqlite.close()
    assert {} == canaries(tmp_path)


async def test_an_erasure_cut_short_is_finished_at_the_next_opening(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """The process died when the batch was hidden and nothing else was done."""
    await sing(sqlite, "b1")
    await sqlite._file.write(lambda t: sqlite_erase.hide(t, TENANT, "b1", force=True, now=1.0))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for path in tmp_path.glob("store.db*"):
        shutil.copy(path, crashed)
    assert canaries(crashed)
    await (await open_sqlite(crashed / "store.db", clock)).close()
    assert {} == canaries(crashed)


async def test_nothing_of_a_thousand_swept_addresses_is_left_on_disk(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """When their retention is over they are in no file, by name or by domain."""
    spec = BatchSpec(name="canary", labels={"canary": "canary"}, retention_s=300.0)
    await sqlite.create_batch(TENANT, "canary-list", spec, singing(1_000), launch=True)
    await sqlite.plan_launched()
    while claims := await sqlite.claim("w", max_entries=1_000):
        for claim in claims:
            rows = [
                ResultRow(one.entry_index, 1, 1, one.input_data.encode() * 3, 9, b"canary")
                for one in claim.entries
            ]
            await sqlite.settle([Settlement(claim, rows, [])])
    assert 1_000 < sum(canaries(tmp_path).values())
    clock.advance(300)
    assert 1 == await sqlite.sweep()
    assert {} == canaries(tmp_path)
    await sqlite.close()
    assert {} == canaries(tmp_path)


async def test_a_sweep_cut_short_is_finished_at_the_next_opening(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """A caller that goes away leaves nothing half erased once the store is closed."""
    await sing(sqlite, "b1")
    await sqlite.cancel_batch(TENANT, "b1")
    clock.advance(BatchSpec().retention_s)
    sweeping = asyncio.create_task(sqlite.sweep())
    while await sqlite.list_batches(TENANT):
        await asyncio.sleep(0)
    sweeping.cancel()
    await asyncio.wait([sweeping])
    await sqlite.close()
    assert {} == canaries(tmp_path)
