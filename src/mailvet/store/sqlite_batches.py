"""Batches and their entries in SQL: create, append, change state, read, list."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from mailvet.errors import AlreadyExists
from mailvet.model.batch import Batch, BatchSpec, Entry, Progress, Removal
from mailvet.model.status import BatchState, Deduplication, QualityLevel
from mailvet.model.targeting import Targeting
from mailvet.store import rules, sqlite_ledger, sqlite_rules, sqlite_storage
from mailvet.store.base import Created
from mailvet.store.callback_texts import callback_from, callback_text, calls_from
from mailvet.store.fresh import Appended, appended
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction

_SPEC = (
    "name, description, labels, quality, priority, deduplication, keep_last, rules, targeting,"
    " retention_s, max_age_s, max_shared_age_s, callback, removal, bare_domains, creator"
)
_SPEC_COLUMNS = _SPEC.count(",") + 1
_STANDING = (
    "state, entry_count, create_time, launch_time, end_time, revision, removed_count,"
    " callback_calls, callback_at"
)
COLUMNS = f"key, tenant, batch_id, {_SPEC}, {_STANDING}"

ROWS_A_STATEMENT = 100
"""Entries inserted at once: half of the time of one after the other, since before each step of a
statement the thread waits for the interpreter."""


_INSERT = "INSERT INTO entry (id, input_data, custom, domain, key, labels) VALUES "
_WHOLE, _BARE = "?, ?, ?, ?, ?", "?, '', ?, ?, ''"
"""An entry, and one that has neither a custom text nor labels: most are, and an empty text costs as
much as any other to hand over."""

_INSERT_ONE = {row: f"{_INSERT}(?, {row})" for row in (_WHOLE, _BARE)}
_INSERT_MANY = {
    row: _INSERT + ", ".join([f"(?1 + {place}, {row})" for place in range(ROWS_A_STATEMENT)])
    for row in (_WHOLE, _BARE)
}
"""The first parameter is the id of the first; the others are numbered on from it."""


def batch_from(row: Sequence[Any]) -> Batch:
    """Return the batch of a row of the batch columns."""
    (key, tenant, batch_id), standing = row[:3], row[3 + _SPEC_COLUMNS :]
    state, entry_count, create_time, launch_time, end_time, revision, removed_count = standing[:7]
    calls, callback_at = standing[7:9]
    return Batch(
        key=key,
        tenant=tenant,
        batch_id=batch_id,
        spec=_spec_from(row[3 : 3 + _SPEC_COLUMNS]),
        state=BatchState(state),
        entry_count=entry_count,
        create_time=create_time,
        launch_time=launch_time,
        end_time=end_time,
        revision=revision,
        removed_count=removed_count,
        calls=calls_from(calls, callback_at),
    )


def _spec_from(row: Sequence[Any]) -> BatchSpec:
    name, description, labels, quality, priority, deduplication, keep_last, own_rules = row[:8]
    targeting, retention_s, max_age_s, max_shared_age_s, callback, *rest = row[8:]
    removal, bare_domains, creator = rest
    return BatchSpec(
        name=name,
        description=description,
        labels=json.loads(labels),
        quality=QualityLevel(quality),
        priority=priority,
        deduplication=Deduplication(deduplication),
        keep_last=bool(keep_last),
        rules=sqlite_rules.overrides_from(own_rules),
        targeting=Targeting(*json.loads(targeting)),
        retention_s=retention_s,
        max_age_s=max_age_s,
        max_shared_age_s=max_shared_age_s,
        callback=callback_from(callback),
        removal=Removal(removal),
        bare_domains=bool(bare_domains),
        creator=creator,
    )


def get(connection: Connection, tenant: str, batch_id: str) -> Batch:
    """Return a batch or raise `NotFound`."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM batch WHERE tenant = ? AND batch_id = ?",  # noqa: S608
        (tenant, batch_id),
    ).fetchone()
    if row is None:
        raise sqlite_storage.absent(connection, tenant, batch_id)
    return batch_from(row)


class LogEnd(NamedTuple):
    """Where the log of a batch ends, and how the batch stands: all that most reads of it need."""

    key: int
    result_count: int
    state: BatchState


def log_end(connection: Connection, tenant: str, batch_id: str) -> LogEnd:
    """Return where a batch's results end or raise `NotFound`."""
    row = connection.execute(
        "SELECT key, result_count, state FROM batch WHERE tenant = ? AND batch_id = ?",
        (tenant, batch_id),
    ).fetchone()
    if row is None:
        raise sqlite_storage.absent(connection, tenant, batch_id)
    key, result_count, state = row
    return LogEnd(key, result_count, BatchState(state))


def listed(
    connection: Connection,
    tenant: str,
    states: frozenset[BatchState],
    before_key: int | None,
    limit: int,
) -> list[Batch]:
    """Return batches of a tenant, the newest first; no states means all."""
    clauses, values = ["tenant = ?"], [tenant, *states]
    if states:
        clauses.append(f"state IN ({', '.join('?' * len(states))})")
    if before_key is not None:
        clauses.append("key < ?")
        values.append(before_key)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM batch WHERE {' AND '.join(clauses)}"  # noqa: S608
        " ORDER BY key DESC LIMIT ?",
        (*values, limit),
    )
    return [batch_from(row) for row in rows]


def progress(
    connection: Connection, tenant: str, batch_id: str, *, now: float
) -> tuple[Batch, Progress]:
    """Return a batch, its counts and what of it waits."""
    batch = get(connection, tenant, batch_id)
    statuses: dict[int, int] = {}
    classifications: dict[int, int] = {}
    for status, classification, count in connection.execute(
        "SELECT status, classification, count FROM tally WHERE batch_key = ?", (batch.key,)
    ):
        statuses[status] = statuses.get(status, 0) + count
        classifications[classification] = classifications.get(classification, 0) + count
    # Literals, so that a partial index serves.
    waits = "state = 3 AND stamp IS NULL" if batch.state is BatchState.PAUSED else "state = 2"
    waiting, next_attempt_at = connection.execute(
        "SELECT coalesce(sum(size), 0), min(run_at) FROM chunk"  # noqa: S608
        f" WHERE {waits} AND batch_key = ? AND run_at > ?",
        (batch.key, now),
    ).fetchone()
    return batch, Progress(
        entry_count=batch.entry_count,
        removed_count=batch.removed_count,
        result_count=sum(statuses.values()),
        waiting_count=waiting,
        next_attempt_at=next_attempt_at,
        active_count=connection.execute(
            "SELECT coalesce(sum(size), 0) FROM chunk WHERE state = 1 AND batch_key = ?",
            (batch.key,),
        ).fetchone()[0],
        statuses=statuses,
        classifications=classifications,
        stored_bytes=sqlite_storage.bytes_of_batch(connection, batch.key),
    )


def create(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    spec: BatchSpec,
    entries: Sequence[Entry],
    *,
    request_id: str,
    request_hash: bytes,
    now: float,
) -> Created:
    """Create a DRAFT with its first entries, or find the one its request_id made."""
    connection = transaction.connection
    if request_id:
        row = connection.execute(
            f"SELECT {COLUMNS}, request_hash FROM batch"  # noqa: S608
            " WHERE tenant = ? AND request_id = ? AND request_id <> ''",  # for its partial index
            (tenant, request_id),
        ).fetchone()
        if row is not None:
            return rules.replay(batch_from(row), request_id, same=row[-1] == request_hash)
    if connection.execute(
        "SELECT 1 FROM batch WHERE tenant = ? AND batch_id = ?", (tenant, batch_id)
    ).fetchone():
        raise AlreadyExists("batch", batch_id)
    key = next_number(connection, "batch_key")
    connection.execute(
        f"INSERT INTO batch ({COLUMNS}, request_id, request_hash)"  # noqa: S608
        f" VALUES ({', '.join('?' * (COLUMNS.count(',') + 3))})",
        (
            key,
            tenant,
            batch_id,
            *_spec_row(spec),
            BatchState.DRAFT,
            len(entries),
            now,
            None,
            None,
            1,
            0,
            "",
            None,
            request_id,
            request_hash,
        ),
    )
    if entries:
        _insert(transaction, appended(key, 0, entries))
    transaction.touched.add(key)
    return Created(get(connection, tenant, batch_id), replayed=False)


def _spec_row(spec: BatchSpec) -> tuple[Any, ...]:
    labels = json.dumps(dict(spec.labels), ensure_ascii=False)
    texts = (spec.name, spec.description, labels)
    numbers = (spec.quality, spec.priority, spec.deduplication, spec.keep_last)
    more = (sqlite_rules.text_of(spec.rules), json.dumps(spec.targeting))
    ages = (spec.retention_s, spec.max_age_s, spec.max_shared_age_s)
    rest = (callback_text(spec.callback), spec.removal, spec.bare_domains, spec.creator)
    return (*texts, *numbers, *more, *ages, *rest)


def put_spec(connection: Connection, key: int, spec: BatchSpec) -> None:
    """Keep new settings of a batch; its revision counts up."""
    columns = ", ".join(f"{column} = ?" for column in _SPEC.split(", "))
    connection.execute(
        f"UPDATE batch SET {columns}, revision = revision + 1 WHERE key = ?",  # noqa: S608
        (*_spec_row(spec), key),
    )


def append(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    offset: int | None,
    entries: Sequence[Entry],
    *,
    limit_bytes: int,
) -> int:
    """Append entries that are not kept yet; return how many the batch keeps now."""
    batch = get(transaction.connection, tenant, batch_id)
    new = rules.new_entries(batch, offset, entries)
    if not new:
        return batch.entry_count
    added = appended(batch.key, batch.entry_count, new)
    sqlite_storage.take_room(transaction.connection, tenant, added, limit_bytes)
    _insert(transaction, added)
    total = batch.entry_count + len(new)
    transaction.connection.execute(
        "UPDATE batch SET entry_count = ? WHERE key = ?", (total, batch.key)
    )
    transaction.touched.add(batch.key)
    return total


def _insert(transaction: Transaction, added: Appended) -> None:
    transaction.appended.append(added)
    *_, texts, customs, domains, keys, labels = added
    row = _WHOLE
    columns: tuple[Sequence[Any], ...] = (texts, customs, domains, keys, labels)
    if not any(customs) and not any(labels):
        row, columns = _BARE, (texts, domains, keys)
    width = len(columns)
    values: list[Any] = [None] * (width * len(texts))
    for place, column in enumerate(columns):
        values[place::width] = column
    first = (added.key << KEY_BITS) + added.start
    full = len(texts) - len(texts) % ROWS_A_STATEMENT
    for start in range(0, full, ROWS_A_STATEMENT):
        some = values[width * start : width * (start + ROWS_A_STATEMENT)]
        transaction.connection.execute(_INSERT_MANY[row], [first + start, *some])
    transaction.connection.executemany(
        _INSERT_ONE[row],
        [(first + at, *values[width * at : width * (at + 1)]) for at in range(full, len(texts))],
    )


def launch(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    *,
    etag: str = "",
    counted: sqlite_ledger.Counted | None = None,
    now: float,
) -> Batch:
    """Move a DRAFT with entries to RUNNING; raise `InsufficientBalance` when it costs too much."""
    batch = get(transaction.connection, tenant, batch_id)
    if batch.state is BatchState.RUNNING:
        return batch
    rules.require_etag(batch, etag)
    rules.require_launchable(batch)
    sqlite_ledger.reserve_for_batch(transaction.connection, batch, counted=counted, now=now)
    transaction.connection.execute(
        "UPDATE batch SET state = ?, launch_time = ?, revision = revision + 1 WHERE key = ?",
        (BatchState.RUNNING, now, batch.key),
    )
    transaction.touched.add(batch.key)
    transaction.touch_work()
    return get(transaction.connection, tenant, batch_id)


def cancel(transaction: Transaction, tenant: str, batch_id: str, *, now: float) -> Batch:
    """Move a batch that has not ended to CANCELLED and drop its chunks."""
    batch = get(transaction.connection, tenant, batch_id)
    if not rules.can_end(batch):
        return batch
    transaction.connection.execute(
        "UPDATE batch SET state = ?1, end_time = ?2, revision = revision + 1, reserved_halves = 0,"
        " callback_at = CASE WHEN callback <> '' THEN ?2 END WHERE key = ?3",
        (BatchState.CANCELLED, now, batch.key),
    )
    transaction.connection.execute("DELETE FROM chunk WHERE batch_key = ?", (batch.key,))
    transaction.altered.add(batch.key)
    transaction.touched.add(batch.key)
    return get(transaction.connection, tenant, batch_id)


def next_number(connection: Connection, name: str) -> int:
    """Return the next number of a counter; none is ever given twice."""
    row = connection.execute(
        "UPDATE counter SET value = value + 1 WHERE name = ? RETURNING value", (name,)
    ).fetchone()
    return int(row[0])
