"""A backup is one moment of a store, and a restore begins a new epoch."""

import asyncio
import stat
from pathlib import Path

import pytest

from mailvet.errors import StoreRefused
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_backup import back_up, restore
from tests.store.samples import SPEC, TENANT, Clock, entries, finish, launched, open_sqlite


async def test_a_backup_under_load_is_one_moment(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """It holds as many results as it counts, though the server went on working."""
    await launched(sqlite, 4_000)
    working = asyncio.create_task(finish(sqlite, per_claim=40))
    copy = tmp_path / "backup.db"
    await asyncio.to_thread(back_up, tmp_path / "store.db", copy)
    await working
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    store = await open_sqlite(copy, clock)
    _, progress = await store.progress(TENANT, "b1")
    page = await store.results_after(TENANT, "b1", 0, limit=10_000)
    assert (progress.result_count, True) == (len(page.rows), page.caught_up)
    await finish(store)
    page = await store.results_after(TENANT, "b1", 0, limit=10_000)
    assert list(range(4_000)) == sorted(result.entry_index for result in page.rows)
    await store.close()


async def test_a_restore_brings_back_the_moment_with_a_new_epoch(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """Also twice from the same backup; the secret is the same, so that keys go on to work."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))
    path, copy = tmp_path / "store.db", tmp_path / "backup.db"
    back_up(path, copy)
    await sqlite.append_entries(TENANT, "b1", None, entries(5))
    await sqlite.close()
    epochs = [sqlite.epoch]
    for _ in range(2):
        clock.advance(1)
        epochs.append(restore(copy, path, clock=clock))
    assert epochs == sorted(set(epochs))
    store = await open_sqlite(path, clock)
    assert (epochs[-1], sqlite.secret) == (store.epoch, store.secret)
    assert 3 == (await store.get_batch(TENANT, "b1")).entry_count
    await store.close()


async def test_a_backup_of_a_store_that_nobody_has_open(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """It replaces the backup before it."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))
    await sqlite.close()
    copy = tmp_path / "backup.db"
    copy.write_text("an older one")
    back_up(tmp_path / "store.db", copy)
    store = await open_sqlite(copy, clock)
    assert 3 == (await store.get_batch(TENANT, "b1")).entry_count
    await store.close()


async def test_an_open_store_is_not_replaced(sqlite: SqliteStore, tmp_path: Path) -> None:
    """The server must be stopped first."""
    copy = tmp_path / "backup.db"
    back_up(tmp_path / "store.db", copy)
    with pytest.raises(StoreRefused, match="another process has it open"):
        restore(copy, tmp_path / "store.db")


async def test_a_bad_backup_leaves_the_store_as_it_was(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """A letter is no backup, nor is a file that is not there."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(3))
    await sqlite.close()
    letter = tmp_path / "letter"
    letter.write_text("a letter, not a database. " * 100)
    for backup in (letter, tmp_path / "nothing"):
        with pytest.raises(StoreRefused):
            restore(backup, tmp_path / "store.db")
    assert not (tmp_path / "store.db.part").exists()
    store = await open_sqlite(tmp_path / "store.db", clock)
    assert 3 == (await store.get_batch(TENANT, "b1")).entry_count
    await store.close()


def test_a_store_that_is_not_there_cannot_be_backed_up(tmp_path: Path) -> None:
    """Nothing is made in its place."""
    with pytest.raises(StoreRefused, match="no store"):
        back_up(tmp_path / "store.db", tmp_path / "backup.db")
    assert [] == list(tmp_path.iterdir())
