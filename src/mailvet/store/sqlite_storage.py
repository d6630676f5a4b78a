"""How much is kept, until when, and what was erased, in SQL."""

from mailvet.errors import NotFound
from mailvet.model.batch import Batch
from mailvet.model.keeping import TOMBSTONE_S, DataPolicy, Tombstone
from mailvet.store import sqlite_keys
from mailvet.store.fresh import Appended
from mailvet.store.keeping import (
    bytes_by_column,
    mark_of,
    missing,
    require_batch_room,
    require_room,
)
from mailvet.store.sqlite_file import Connection


def stored_bytes(connection: Connection, tenant: str) -> int:
    """Return how much the batches of a tenant hold."""
    row = connection.execute(
        "SELECT coalesce(sum(stored_bytes), 0) FROM batch WHERE tenant = ?", (tenant,)
    ).fetchone()
    return int(row[0])


def count_batches(connection: Connection, tenant: str) -> int:
    """Return how many batches a tenant has."""
    row = connection.execute("SELECT count(*) FROM batch WHERE tenant = ?", (tenant,)).fetchone()
    return int(row[0])


def take_batch(connection: Connection, tenant: str, limit: int) -> None:
    """Raise `QuotaExceeded` when the batch that was just made is one too many."""
    require_batch_room(count_batches(connection, tenant) - 1, limit)


def bytes_of_batch(connection: Connection, key: int) -> int:
    """Return how much a batch holds."""
    row = connection.execute("SELECT stored_bytes FROM batch WHERE key = ?", (key,)).fetchone()
    return int(row[0])


def take_room(connection: Connection, tenant: str, added: Appended, limit: int) -> None:
    """Count new entries of a batch, or raise `QuotaExceeded`."""
    size = bytes_by_column(added.texts, added.customs, added.domains, added.labels)
    take_bytes(connection, tenant, added.key, size, limit)


def take_bytes(connection: Connection, tenant: str, key: int, new: int, limit: int) -> None:
    """Count something new of a batch, or raise `QuotaExceeded`."""
    require_room(stored_bytes(connection, tenant), new, limit)
    connection.execute("UPDATE batch SET stored_bytes = stored_bytes + ? WHERE key = ?", (new, key))


def bury(connection: Connection, batch: Batch, *, now: float) -> None:
    """Leave a tombstone of a batch, in the place of an older one of its id."""
    connection.execute(
        "INSERT OR REPLACE INTO tombstone (mark, erase_time, entry_count) VALUES (?, ?, ?)",
        (_mark(connection, batch.tenant, batch.batch_id), now, batch.entry_count),
    )


def absent(connection: Connection, tenant: str, batch_id: str) -> NotFound:
    """Return what to raise about a batch that is not there."""
    row = connection.execute(
        "SELECT erase_time, entry_count FROM tombstone WHERE mark = ?",
        (_mark(connection, tenant, batch_id),),
    ).fetchone()
    return missing(batch_id, None if row is None else Tombstone(*row))


def _mark(connection: Connection, tenant: str, batch_id: str) -> bytes:
    _, secret = sqlite_keys.identity(connection)
    return mark_of(secret, tenant, batch_id)


def due(connection: Connection, *, now: float) -> list[tuple[str, str]]:
    """Return tenant and id of every batch whose retention is over."""
    return connection.execute(
        "SELECT tenant, batch_id FROM batch"
        " WHERE end_time IS NOT NULL AND end_time + retention_s <= ?",
        (now,),
    ).fetchall()


def forget_tombstones(connection: Connection, *, now: float) -> None:
    """Take away the tombstones that have stood long enough."""
    connection.execute("DELETE FROM tombstone WHERE erase_time <= ?", (now - TOMBSTONE_S,))


def has_old_tombstones(connection: Connection, *, now: float) -> bool:
    """Whether there are tombstones to take away."""
    found = connection.execute(
        "SELECT 1 FROM tombstone WHERE erase_time <= ? LIMIT 1", (now - TOMBSTONE_S,)
    )
    return found.fetchone() is not None


def get_policy(connection: Connection, tenant: str) -> DataPolicy:
    """Return what a tenant has set for its data."""
    row = connection.execute(
        "SELECT retention_s FROM data_policy WHERE tenant = ?", (tenant,)
    ).fetchone()
    return DataPolicy() if row is None else DataPolicy(retention_s=row[0])


def put_policy(connection: Connection, tenant: str, policy: DataPolicy) -> None:
    """Keep what a tenant has set for its data."""
    connection.execute(
        "INSERT OR REPLACE INTO data_policy (tenant, retention_s) VALUES (?, ?)",
        (tenant, policy.retention_s),
    )
