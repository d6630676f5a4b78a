"""Backups by hand."""

from pathlib import Path

import pytest

from mailvet.cli.main import main
from mailvet.model.batch import BatchSpec
from mailvet.store.sqlite import SqliteStore


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    code = ended.value.code
    assert isinstance(code, int)
    return code


async def _fill(path: Path, batch_id: str) -> None:
    store = await SqliteStore.open(path)
    await store.create_batch("shop", batch_id, BatchSpec())
    await store.close()


async def _batches(path: Path) -> tuple[int, list[str]]:
    store = await SqliteStore.open(path)
    found = [batch.batch_id for batch in await store.list_batches("shop")]
    epoch = store.epoch
    await store.close()
    return epoch, found


async def test_a_backup_comes_back_as_it_was(tmp_path: Path) -> None:
    """What was there at the backup is there after the restore, under a new epoch."""
    store, copy = tmp_path / "store.db", tmp_path / "copy.db"
    await _fill(store, "before")
    before, _ = await _batches(store)
    assert 0 == _run("backup", str(copy), "--store", str(store))
    await _fill(store, "after")
    assert 0 == _run("restore", str(copy), "--store", str(store), "--yes")
    epoch, found = await _batches(store)
    assert ["before"] == found
    assert before < epoch


async def test_a_store_is_not_replaced_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Restoring over a store needs --yes, and says so."""
    store, copy = tmp_path / "store.db", tmp_path / "copy.db"
    await _fill(store, "one")
    assert 0 == _run("backup", str(copy), "--store", str(store))
    assert 1 == _run("restore", str(copy), "--store", str(store))
    assert "--yes" in capsys.readouterr().err


def test_a_missing_store_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to back up where there is no store."""
    assert 1 == _run("backup", str(tmp_path / "x"), "--store", str(tmp_path / "absent.db"))
    assert "absent.db" in capsys.readouterr().err
