"""Copies of a store file: one consistent moment out, and the way back in.

A restored store has a new epoch: what was committed after the backup is gone, so a cursor given
before must be refused instead of showing other rows.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from mailvet.errors import StoreRefused
from mailvet.store import sqlite_file
from mailvet.store.sqlite_file import Connection, driver


def back_up(path: Path, target: Path) -> None:
    """Copy a store as it is at this moment, also while a server works with it.

    The copy appears whole or not at all, readable by its owner only; an older file of that name
    is replaced. Raises `StoreRefused` when there is no store or it is damaged.
    """
    if not path.exists():
        raise StoreRefused(f"there is no store {str(path)!r} to back up; see the setting `store`")
    part = _part(target)
    try:
        source = sqlite_file.connect_reader(path)
        try:
            _copy(source, part)
        finally:
            source.close()
        _replace(part, target)
    except driver.Error as error:
        raise sqlite_file.refusal(path, error) from error
    finally:
        part.unlink(missing_ok=True)  # half a copy has addresses in it too


def restore(backup: Path, path: Path, *, clock: Callable[[], float] = time.time) -> int:
    """Put a backup in the place of a store that nobody has open; return its new epoch.

    Raises `StoreRefused` when the store is open, or when the backup is missing, damaged or of
    another program; the store is then as it was.
    """
    if not backup.exists():
        raise StoreRefused(f"there is no backup {str(backup)!r}")
    lock = sqlite_file.lock(path)
    part = _part(path)
    try:
        epoch = _renew(backup, part, clock)
        for suffix in ("-wal", "-shm"):  # of the old store: not a word of them fits the new one
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        _replace(part, path)
    except driver.Error as error:
        raise sqlite_file.refusal(backup, error) from error
    finally:
        part.unlink(missing_ok=True)
        os.close(lock)
    return epoch


def _part(target: Path) -> Path:
    """Return an empty file beside the target, for what is not whole yet."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return part


def _copy(source: Connection, part: Path) -> None:
    """Copy a store into an empty file, as it is at one moment."""
    copy: Connection = driver.connect(str(part), isolation_level=None)
    try:
        source.execute("BEGIN")  # one moment, however long the copy takes
        source.execute("SELECT count(*) FROM counter").fetchone()
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        copy.close()
    if verdict != "ok":
        raise StoreRefused(f"the store is damaged ({verdict}); nothing was backed up")


def _renew(backup: Path, part: Path, clock: Callable[[], float]) -> int:
    """Copy a backup and give it an epoch that no earlier life of the store had."""
    source: Connection = driver.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)
    try:
        _copy(source, part)
    finally:
        source.close()
    connection = sqlite_file.connect_writer(part)
    try:
        # Seconds, not a count: the same backup may be restored twice.
        row = connection.execute(
            "UPDATE counter SET value = max(value + 1, ?) WHERE name = 'epoch' RETURNING value",
            (int(clock()),),
        ).fetchone()
    finally:
        connection.close()
    return int(row[0])


def _replace(part: Path, target: Path) -> None:
    """Give a whole copy its name, so that it survives a power loss under it."""
    _flush(part)
    part.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
