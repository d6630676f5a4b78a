"""How the SQLite store steers batches: chunks of a paused batch are set aside and taken back."""

from collections.abc import Callable
from dataclasses import replace

from mailvet.model.batch import Batch
from mailvet.model.status import BatchState
from mailvet.store import rules, sqlite_batches
from mailvet.store.fairness import cost
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_schema import PARKED, READY, WAITING
from mailvet.store.sqlite_work import park, virtual_time
from mailvet.store.sqlite_writer import Transaction
from mailvet.store.steering import SpecChanges

_QUEUED = f"batch_key = ?1 AND state IN ({READY}, {PARKED}) AND stamp IS NOT NULL"


class SqliteSteering:
    """The part of a SQLite store that answers `Steering`."""

    _file: OpenFile
    _clock: Callable[[], float]

    async def pause_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Steering.pause_batch`."""
        return await self._file.write(lambda t: _pause(t, tenant, batch_id, etag))

    async def resume_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Steering.resume_batch`."""
        return await self._file.write(lambda t: _resume(t, tenant, batch_id, etag))

    async def update_batch(
        self, tenant: str, batch_id: str, changes: SpecChanges, *, etag: str = ""
    ) -> Batch:
        """See `Steering.update_batch`."""
        return await self._file.write(
            lambda t: _update(t, tenant, batch_id, changes, etag, self._clock())
        )


def _pause(transaction: Transaction, tenant: str, batch_id: str, etag: str) -> Batch:
    connection = transaction.connection
    batch = sqlite_batches.get(connection, tenant, batch_id)
    if batch.state is BatchState.PAUSED:
        return batch
    rules.require_etag(batch, etag)
    rules.require_pausable(batch)
    _move(connection, batch.key, BatchState.PAUSED)
    park(connection)
    transaction.touched.add(batch.key)
    return sqlite_batches.get(connection, tenant, batch_id)


def _resume(transaction: Transaction, tenant: str, batch_id: str, etag: str) -> Batch:
    connection = transaction.connection
    batch = sqlite_batches.get(connection, tenant, batch_id)
    if batch.state is BatchState.RUNNING:
        return batch
    rules.require_etag(batch, etag)
    rules.require_resumable(batch)
    _move(connection, batch.key, BatchState.RUNNING)
    time = virtual_time(connection)
    connection.execute(
        "UPDATE chunk SET state = CASE WHEN stamp IS NULL THEN ? ELSE ? END, stamp = stamp + ?"
        " WHERE batch_key = ? AND state = ?",
        (WAITING, READY, max(0.0, time - _first(connection, batch.key, time)), batch.key, PARKED),
    )
    transaction.touched.add(batch.key)
    transaction.touch_work()
    return sqlite_batches.get(connection, tenant, batch_id)


def _move(connection: Connection, key: int, state: BatchState) -> None:
    connection.execute(
        "UPDATE batch SET state = ?, revision = revision + 1 WHERE key = ?", (state, key)
    )


def _first(connection: Connection, key: int, default: float) -> float:
    """Return the stamp of the next chunk of a batch."""
    row = connection.execute(f"SELECT min(stamp) FROM chunk WHERE {_QUEUED}", (key,))  # noqa: S608
    return float(row.fetchone()[0] or default)


def _update(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    changes: SpecChanges,
    etag: str,
    now: float,
) -> Batch:
    connection = transaction.connection
    batch = sqlite_batches.get(connection, tenant, batch_id)
    rules.require_etag(batch, etag)
    rules.require_changeable(batch, changes)
    spec = replace(batch.spec, **changes)
    sqlite_batches.put_spec(connection, batch.key, spec)
    if spec.priority != batch.spec.priority:
        _reweigh(connection, batch.key, batch.spec.priority, spec.priority)
    if "callback" in changes:
        due = now if batch.end_time is not None and spec.callback is not None else None
        connection.execute(
            "UPDATE batch SET callback_calls = '', callback_at = ? WHERE key = ?", (due, batch.key)
        )
    transaction.touched.add(batch.key)
    return sqlite_batches.get(connection, tenant, batch_id)


def _reweigh(connection: Connection, key: int, old: int, new: int) -> None:
    """As `fairness.reweighed`, for all that is queued of a batch."""
    time = virtual_time(connection)
    base = min(time, _first(connection, key, time))
    connection.execute(
        f"UPDATE chunk SET stamp = ?2 + (stamp - ?2) * ?3 WHERE {_QUEUED}",  # noqa: S608
        (key, base, cost(1, new) / cost(1, old)),
    )
    connection.execute(
        "UPDATE batch SET retry_stamp = min(retry_stamp, ?) WHERE key = ?", (time, key)
    )
