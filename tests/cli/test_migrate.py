"""Stores brought up to date by hand."""

import sqlite3
from pathlib import Path

import pytest

from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_file import APPLICATION_ID
from mailvet.store.sqlite_schema import STEPS
from tests.cli.test_main import run


async def _new(path: Path) -> None:
    await (await SqliteStore.open(path)).close()


def _without_tables(path: Path) -> None:
    """What is left when a process ends between making the file and its tables."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.close()


def test_steps_are_told_then_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check changes nothing and ends with 1; then the steps are taken, and none is left."""
    path = tmp_path / "store.db"
    _without_tables(path)
    code, told, _ = run(capsys, "migrate", "--check", "--store", str(path))
    assert (1, True) == (code, all(step in told for step in STEPS))
    assert (1, told, "") == run(capsys, "migrate", "--check", "--store", str(path))
    code, out, _ = run(capsys, "migrate", "--store", str(path))
    assert (0, True) == (code, all(step in out for step in STEPS))
    assert (0, f"{path} is up to date\n", "") == run(
        capsys, "migrate", "--check", "--store", str(path)
    )


async def test_a_store_of_a_newer_version_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is left as it is, and both ways out are named."""
    path = tmp_path / "store.db"
    await _new(path)
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('mailvet', '9999_later', '2099-01-01')"
    )
    connection.commit()
    connection.close()
    code, _, err = run(capsys, "migrate", "--store", str(path))
    assert 1 == code
    assert "9999_later" in err
    assert "run that version, or restore a backup" in err


async def test_a_store_in_use_is_not_migrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has it open has to stop first."""
    path = tmp_path / "store.db"
    store = await SqliteStore.open(path)
    code, _, err = run(capsys, "migrate", "--store", str(path))
    await store.close()
    assert (1, True) == (code, "another process has it open" in err)


def test_a_missing_store_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path does not end as an empty store."""
    path = tmp_path / "absent.db"
    code, _, err = run(capsys, "migrate", "--store", str(path))
    assert (1, True, False) == (code, "no store" in err, path.exists())
