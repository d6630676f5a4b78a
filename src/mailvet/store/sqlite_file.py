"""The database file: the driver, the lock, the settings of a connection, and what refuses to open.

One process owns a file (`<path>.lock`), and in it one connection writes. The others only read.
"""

import fcntl
import importlib
import os
import sqlite3
from pathlib import Path
from typing import Any

from mailvet.errors import StoreInUse, StoreRefused, Unavailable
from mailvet.store.hindrances import DISK_FULL, STORE_LOCKED

Connection = sqlite3.Connection
"""The shape of a connection; the driver's own class has the same methods."""

SAFE_VERSION = (3, 51, 3)
"""Fixes the WAL-reset bug, which may corrupt a file that several connections use
(sqlite.org/wal.html#walresetbug)."""

APPLICATION_ID = 0x6D767374
"""`mvst`: tells a store from any other SQLite file (PRAGMA application_id)."""

BUSY_TIMEOUT_S = 5.0
"""Only a foreign program can hold a lock: long enough for its look, short enough to say so."""

CHECKPOINT_PAGES = 4_000
"""16 MB of WAL between checkpoints: fewer flushes than the default of 4 MB, still a small file."""

CACHE_KIB = 16_384
"""For each connection; the system's own cache holds the rest of the file."""

READER_CACHE_KIB = 49_152
"""For one that reads: the entries of a claim stand all over their batch, and of a million the half
would be read again from the system."""


def _load_driver() -> Any:
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return sqlite3


driver = _load_driver()
"""pysqlite3 where it is installed, as sqlite-utils does; else the standard library's module."""


def warnings() -> tuple[str, ...]:
    """Return what an operator should know about the driver, as sentences."""
    if driver.sqlite_version_info >= SAFE_VERSION:
        return ()
    needed = ".".join(map(str, SAFE_VERSION))
    text = (
        f"SQLite {driver.sqlite_version} has a rare bug that can corrupt a database in WAL mode;"
        f" install pysqlite3>=0.6.1, which brings SQLite {needed} or newer"
    )
    return (text,)


def lock(path: Path) -> int:
    """Take the file's lock and return its descriptor, or raise `StoreRefused`."""
    name = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(path, f"{error.strerror}; its folder must exist and be writable") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        way_out = "another process has it open; stop that process, or give this one another file"
        raise StoreInUse(str(_refused(path, way_out))) from error
    return descriptor


def connect_writer(path: Path) -> Connection:
    """Open the one connection that writes; the file is created when it is missing.

    Raises `StoreRefused`, or the driver's error, which `refusal` translates.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise _refused(path, f"{error.strerror}; the file must be readable and writable") from error
    connection = _connect(str(path))
    try:
        _configure(connection)
        _prepare_writer(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> Connection:
    """Open a connection that can only read."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    _configure(connection)
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_beside(path: Path) -> Connection:
    """Open a second writing connection beside a running server's; it never checkpoints."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect(name: str, *, uri: bool = False) -> Connection:
    connection: Connection = driver.connect(
        name,
        uri=uri,
        isolation_level=None,  # transactions are begun and ended in plain sight
        check_same_thread=False,  # opened in one thread, then used by one other
        timeout=BUSY_TIMEOUT_S,
        cached_statements=256,
    )
    return connection


def _configure(connection: Connection) -> None:
    connection.execute("PRAGMA mmap_size = 0")  # a stray write must not reach the file
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _prepare_writer(path: Path, connection: Connection) -> None:
    # Only has an effect on a file that is made now: lets a full disk have pages back.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _require_ours(path, connection)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise _refused(path, "its file system cannot hold a write-ahead log; use a local disk")
    for setting in (
        "synchronous = FULL",
        "secure_delete = ON",
        "foreign_keys = ON",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {CHECKPOINT_PAGES * 4096 * 2}",
    ):
        connection.execute(f"PRAGMA {setting}")
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _refused(path, f"it is damaged ({verdict}); {_RESTORE}")


def _require_ours(path: Path, connection: Connection) -> None:
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application_id == 0 and tables == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    elif application_id != APPLICATION_ID:
        raise _refused(path, "it is a database of another program; choose another file")


_RESTORE = "restore a backup, or move the file away to begin with an empty store"


def refusal(path: Path, error: Exception) -> StoreRefused:
    """Return what to say when the driver could not open a file."""
    if _code(error) in (driver.SQLITE_CORRUPT, driver.SQLITE_NOTADB):
        return _refused(path, f"it is damaged or no database ({error}); {_RESTORE}")
    return _refused(path, f"{error}; see that no other program uses it and its disk has space")


def _refused(path: Path, reason: str) -> StoreRefused:
    return StoreRefused(f"the store {str(path)!r} cannot be opened: {reason}")


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary result code


_IOERR_SHMSIZE = 10 | 19 << 8
"""The index of the log cannot grow (sqlite.org/rescode.html#ioerr_shmsize)."""


def is_full(error: Exception) -> bool:
    """Whether a driver's error says that the disk is full."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return _code(error) == driver.SQLITE_FULL or code == _IOERR_SHMSIZE


def disk_full() -> Unavailable:
    """Return what callers are told while the disk is full."""
    return Unavailable(
        "the store's disk is full; free some space or delete batches", hindrance=DISK_FULL
    )


def translated(error: Exception) -> Exception:
    """Return what callers are told of a driver's error: `Unavailable` when it is the world's fault.

    A broken constraint or a wrong statement is our fault and is returned as it is.
    """
    if not isinstance(error, driver.Error) or isinstance(
        error, (driver.IntegrityError, driver.ProgrammingError)
    ):
        return error
    if is_full(error):
        return disk_full()
    if _code(error) in (driver.SQLITE_BUSY, driver.SQLITE_LOCKED):
        return Unavailable(
            "another program holds the store's file; it is tried again", hindrance=STORE_LOCKED
        )
    return Unavailable(f"the store cannot work now: {error}")
