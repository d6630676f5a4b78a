"""What refuses to open, and how a file is kept."""

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlite_utils

from mailvet.errors import StoreRefused, Unavailable
from mailvet.store import sqlite_file
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import SPEC, TENANT, Clock, entries, finish, launched, open_sqlite


async def test_a_second_opener_is_refused_and_told_the_way_out(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """Also in the same process; the file may be opened again once the first has closed it."""
    with pytest.raises(StoreRefused, match=r"store\.db.*another process has it open.*stop"):
        await open_sqlite(tmp_path / "store.db", clock)
    await sqlite.close()
    await (await open_sqlite(tmp_path / "store.db", clock)).close()


async def test_only_the_owner_may_read_the_files(sqlite: SqliteStore, tmp_path: Path) -> None:
    """The database, its log, the lock and the reserve have mode 0600."""
    await launched(sqlite, 3)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert {f"store.db{end}" for end in ("", "-wal", "-shm", ".lock", ".reserve")} == set(modes)
    assert {0o600} == set(modes.values())


async def test_a_file_of_something_else_is_refused(tmp_path: Path, clock: Clock) -> None:
    """It is no database; it is left as it was, and its lock is free again."""
    path = tmp_path / "store.db"
    path.write_text("a letter, not a database. " * 100)
    for _ in range(2):
        with pytest.raises(StoreRefused, match=r"no database.*restore a backup"):
            await open_sqlite(path, clock)
    assert path.read_text().startswith("a letter")


async def test_a_database_of_another_program_is_refused(tmp_path: Path, clock: Clock) -> None:
    """Its tables are not touched."""
    path = tmp_path / "store.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipe (name TEXT)")
    other.close()
    with pytest.raises(StoreRefused, match="another program"):
        await open_sqlite(path, clock)


async def test_a_damaged_file_is_refused(tmp_path: Path, clock: Clock) -> None:
    """Bytes were flipped in the middle of its tables."""
    path = tmp_path / "store.db"
    store = await open_sqlite(path, clock)
    await launched(store, 2_000)
    await finish(store, per_claim=1000)
    await store.close()
    damaged = bytearray(path.read_bytes())
    for at in range(8192, len(damaged), 4096):
        damaged[at : at + 64] = bytes(byte ^ 0xFF for byte in damaged[at : at + 64])
    path.write_bytes(damaged)
    with pytest.raises(StoreRefused, match=r"damaged.*restore a backup"):
        await open_sqlite(path, clock)


async def test_a_file_of_a_newer_mailvet_is_refused(tmp_path: Path, clock: Clock) -> None:
    """A migration that is not known here was applied to it."""
    path = tmp_path / "store.db"
    await (await open_sqlite(path, clock)).close()
    database = sqlite_utils.Database(path)
    database.table("_sqlite_migrations").insert(
        {"migration_set": "mailvet", "name": "9999_tomorrow", "applied_at": "2099-01-01"}
    )
    database.conn.commit()
    database.close()
    with pytest.raises(StoreRefused, match=r"newer mailvet.*9999_tomorrow"):
        await open_sqlite(path, clock)


async def test_a_missing_folder_is_named(tmp_path: Path, clock: Clock) -> None:
    """The sentence says that the folder must exist."""
    with pytest.raises(StoreRefused, match="folder must exist"):
        await open_sqlite(tmp_path / "no" / "store.db", clock)


async def test_a_full_disk_is_unavailable_and_goes_by(sqlite: SqliteStore) -> None:
    """Nothing acked is lost, reads and deletes go on, and writes do again when there is space."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    await sqlite.create_batch(TENANT, "victim", SPEC, entries(2_000))
    await _limit_pages(sqlite, 0)
    kept = await _fill(sqlite)
    assert kept == (await sqlite.get_batch(TENANT, "b1")).entry_count
    assert 2_000 == await sqlite.delete_batch(TENANT, "victim", force=False)
    assert kept + 200 == await sqlite.append_entries(TENANT, "b1", kept, entries(200))


async def _fill(store: SqliteStore) -> int:
    """Append to b1 until the disk is full; return how many entries were acked."""
    kept = 0
    for _ in range(1_000):
        try:
            kept = await store.append_entries(TENANT, "b1", kept, entries(200))
        except Unavailable:
            return kept
    raise AssertionError("the disk never got full")


async def test_of_many_callers_only_those_that_need_space_meet_the_full_disk(
    sqlite: SqliteStore,
) -> None:
    """A commit they shared is done again one by one."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    await _limit_pages(sqlite, 0)
    small, large, note = await asyncio.gather(
        sqlite.append_entries(TENANT, "b1", None, entries(1)),
        sqlite.append_entries(TENANT, "b1", None, entries(5_000)),
        sqlite.note_hindrance("port", "closed"),
        return_exceptions=True,
    )
    assert (1, None) == (small, note)
    assert isinstance(large, Unavailable)
    assert 1 == (await sqlite.get_batch(TENANT, "b1")).entry_count


async def _limit_pages(store: SqliteStore, more: int) -> None:
    """Let the file grow by so many pages at most, as a full disk would."""

    def limit(transaction: sqlite_file.Connection) -> None:
        pages = transaction.execute("PRAGMA page_count").fetchone()[0]
        transaction.execute(f"PRAGMA max_page_count = {pages + more}")

    await store._file.write(lambda transaction: limit(transaction.connection))


async def test_a_foreign_lock_is_unavailable_and_readers_go_on(
    sqlite: SqliteStore, tmp_path: Path
) -> None:
    """Another program writes in the file: it is said, and the next call works."""
    await sqlite.create_batch(TENANT, "b1", SPEC)
    await sqlite._file.write(lambda t: t.connection.execute("PRAGMA busy_timeout = 0").fetchall())
    foreign = sqlite_file.driver.connect(str(tmp_path / "store.db"), isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another program"):
        await sqlite.append_entries(TENANT, "b1", None, entries(1))
    assert 0 == (await sqlite.get_batch(TENANT, "b1")).entry_count
    foreign.execute("ROLLBACK")
    foreign.close()
    assert 1 == await sqlite.append_entries(TENANT, "b1", None, entries(1))


def test_a_safe_driver_needs_no_warning() -> None:
    """The driver that is installed with the service is new enough."""
    assert () == sqlite_file.warnings()


async def test_settings_are_as_durability_and_erasure_need_them(sqlite: SqliteStore) -> None:
    """WAL, full flushes, overwriting of what is deleted, and no memory map."""

    def settings(connection: sqlite_file.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "secure_delete", "mmap_size", "foreign_keys")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert ["wal", 2, 1, 0, 1] == await sqlite._file.write(lambda t: settings(t.connection))
