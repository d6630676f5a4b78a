"""Erasing a batch: hidden in one transaction, its rows overwritten in slices, the log truncated.

`secure_delete` overwrites what is deleted; the write-ahead log still has the old pages until it
is truncated. An erasure that was cut short is finished when the store is opened again.
"""

from mailvet.store import rules, sqlite_batches, sqlite_storage
from mailvet.store.segments import SEGMENT_ROWS
from mailvet.store.sqlite_file import BUSY_TIMEOUT_S, Connection
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction

SLICE_ROWS = 5_000
"""Entries or results erased in one transaction: some 20 ms in which others wait."""

TIGHT_ROWS = 250
"""When the disk is full: with their evidence less than a megabyte of log."""

SHRINK_PAGES = 250
"""Pages given back in one transaction when the disk is full: a megabyte of log at most."""

CHECKPOINT_WAIT_MS = 50
"""How long the writer stands still for a reader before others get their turn."""


UPLOAD_PART_ROWS = 1_000
"""What a piece of an uploaded file counts for: it has a megabyte or more."""

_TABLES = (("result", SEGMENT_ROWS), ("entry", 1), ("place", 1), ("upload_part", UPLOAD_PART_ROWS))
"""What is erased in slices, and for how many rows each of theirs counts."""


def hide(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    *,
    force: bool,
    now: float,
    etag: str = "",
) -> int:
    """Take a batch out of sight, but for its tombstone; return how many entries it had."""
    connection = transaction.connection
    batch = sqlite_batches.get(connection, tenant, batch_id)
    rules.require_etag(batch, etag)
    rules.require_deletable(batch, force=force)
    connection.execute("INSERT INTO erasure (batch_key) VALUES (?)", (batch.key,))
    connection.execute("DELETE FROM chunk WHERE batch_key = ?", (batch.key,))
    connection.execute("DELETE FROM tally WHERE batch_key = ?", (batch.key,))
    connection.execute("DELETE FROM upload WHERE batch_key = ?", (batch.key,))
    connection.execute("DELETE FROM batch WHERE key = ?", (batch.key,))
    sqlite_storage.bury(connection, batch, now=now)
    transaction.altered.add(batch.key)
    transaction.touched.add(batch.key)
    return batch.entry_count


def erase_slice(connection: Connection, rows: int = SLICE_ROWS) -> bool:
    """Erase some rows of hidden batches; False when nothing is left to erase."""
    row = connection.execute("SELECT min(batch_key) FROM erasure").fetchone()
    if row[0] is None:
        return False
    key = row[0]
    for table, each_holds in _TABLES:
        erased = connection.execute(
            f"DELETE FROM {table} WHERE id IN"  # noqa: S608
            f" (SELECT id FROM {table} WHERE id >= ? AND id < ? LIMIT ?)",
            (key << KEY_BITS, (key + 1) << KEY_BITS, max(1, rows // each_holds)),
        ).rowcount
        if erased:
            return True
    connection.execute("DELETE FROM erasure WHERE batch_key = ?", (key,))
    return True


def truncate_log(connection: Connection) -> bool:
    """Empty the write-ahead log; False when a reader is in the way, so that it must be repeated."""
    connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
    try:
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")


def shrink(connection: Connection) -> bool:
    """Give some free pages back to the disk; False when that is done (or the file is too old)."""
    before = _free_pages(connection)
    connection.execute(f"PRAGMA incremental_vacuum({SHRINK_PAGES})").fetchall()
    return 0 < _free_pages(connection) < before


def _free_pages(connection: Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def finish(connection: Connection) -> None:
    """Finish erasures that were cut short: for a store just opened."""
    while erase_slice(connection):
        pass
    truncate_log(connection)
