"""Steps from one schema to the next: forward, whole or not at all, and never back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from mailvet.errors import StoreRefused
from mailvet.store import sqlite_file
from mailvet.store.sqlite_migrate import migrate as migrate_file
from mailvet.store.sqlite_schema import STEPS, migrate
from tests.store.samples import TENANT, Clock, finish, launched, open_sqlite

ENTRIES = 20
NEXT = "9000_next"


def _next(database: sqlite_utils.Database) -> None:
    """A step of a version to come: a new column, filled from what is there."""
    database.table("batch").add_column("half", int, not_null_default=0)
    database.execute("UPDATE batch SET half = entry_count / 2")


def _next_breaks(database: sqlite_utils.Database) -> None:
    _next(database)
    raise RuntimeError("a step of a version to come is wrong")


async def _filled(path: Path, clock: Clock) -> list[Any]:
    store = await open_sqlite(path, clock)
    await launched(store, ENTRIES)
    await finish(store)
    await launched(store, ENTRIES, "b2")
    await store.close()
    return await _results(path, clock)


async def _results(path: Path, clock: Clock) -> list[Any]:
    store = await open_sqlite(path, clock)
    try:
        return list((await store.results_after(TENANT, "b1", 0, limit=100)).rows)
    finally:
        await store.close()


def _step(path: Path, step: Callable[[sqlite_utils.Database], None]) -> tuple[str, ...]:
    connection = sqlite_file.connect_writer(path)
    try:
        return migrate(connection, str(path), {**STEPS, NEXT: step})
    finally:
        connection.close()


def _rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    connection = sqlite_file.connect_reader(path)
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


async def test_an_upgrade_keeps_what_is_there(tmp_path: Path, clock: Clock) -> None:
    """Only the step that lacks is taken, over rows of the version before, and never again."""
    path = tmp_path / "store.db"
    await _filled(path, clock)
    docs = _rows(path, "SELECT id, docs FROM result")
    assert (NEXT,) == _step(path, _next)
    assert () == _step(path, _next)
    assert [(ENTRIES // 2,)] * 2 == _rows(path, "SELECT half FROM batch")
    assert docs == _rows(path, "SELECT id, docs FROM result")


async def test_a_store_that_was_upgraded_is_refused_by_the_version_before(
    tmp_path: Path, clock: Clock
) -> None:
    """The way back is a backup: the sentence says so, and the file stays as it is."""
    path = tmp_path / "store.db"
    await _filled(path, clock)
    _step(path, _next)
    before = _rows(path, "SELECT * FROM batch") + _rows(path, "SELECT * FROM result")
    with pytest.raises(StoreRefused, match=f"{NEXT}.*run that version, or restore a backup"):
        await open_sqlite(path, clock)
    with pytest.raises(StoreRefused, match=NEXT):
        migrate_file(path)
    assert before == _rows(path, "SELECT * FROM batch") + _rows(path, "SELECT * FROM result")


async def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path, clock: Clock) -> None:
    """It is one transaction: the version before opens the store as if nothing had been tried."""
    path = tmp_path / "store.db"
    right = await _filled(path, clock)
    with pytest.raises(RuntimeError):
        _step(path, _next_breaks)
    assert right == await _results(path, clock)
    assert (NEXT,) == _step(path, _next)
