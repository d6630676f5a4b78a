"""Results in SQL: appended by sequence, read by sequence, found by entry."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from mailvet.model.batch import Batch, EntryPlace, ResultFilter, ResultPage, ResultRow
from mailvet.model.status import BatchState
from mailvet.store import rules, sqlite_batches
from mailvet.store.chunks import Indexes, from_blob, packed, to_blob
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction

SCAN_ROWS = 20_000
"""A filtered call reads at most so many rows: some ten milliseconds, however few of them pass."""

PLACED_FROM = 10_000
"""Below so many results a scan for one entry takes a millisecond or two: no index is built."""

PLACE_BLOCK = 1_000
"""Entries in one block of places: its 4,000 bytes fit a page of 4,096."""

_ROW = "entry_index, status, classification, doc, basic_length, evidence"
_SEQUENCE_MASK = (1 << KEY_BITS) - 1


def append(transaction: Transaction, key: int, rows: Sequence[ResultRow], *, now: float) -> bool:
    """Append results of a running batch; True when they were its last, which completes it."""
    connection = transaction.connection
    last, entry_count = connection.execute(
        "UPDATE batch SET result_count = result_count + ? WHERE key = ?"
        " RETURNING result_count, entry_count",
        (len(rows), key),
    ).fetchone()
    first = (key << KEY_BITS) + last - len(rows) + 1
    connection.executemany(
        f"INSERT INTO result (id, {_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [(number, *row) for number, row in enumerate(rows, first)],
    )
    tally = Counter((row.status, row.classification) for row in rows)
    connection.executemany(
        "INSERT INTO tally (batch_key, status, classification, count) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(key, *kind, count) for kind, count in tally.items()],
    )
    if last < entry_count:
        return False
    connection.execute(
        "UPDATE batch SET state = ?, end_time = ? WHERE key = ?", (BatchState.COMPLETED, now, key)
    )
    return True


def after(
    connection: Connection,
    tenant: str,
    batch_id: str,
    sequence: int,
    *,
    limit: int,
    where: ResultFilter | None,
) -> ResultPage:
    """Return results after a sequence, and how far was looked."""
    batch = sqlite_batches.get(connection, tenant, batch_id)
    last = _result_count(connection, batch.key)
    clause, values = _condition(where)
    until = min(last, sequence + (SCAN_ROWS if clause else limit))
    first = batch.key << KEY_BITS
    found = connection.execute(
        f"SELECT {_ROW}{', id' if clause else ''} FROM result"  # noqa: S608
        f" WHERE id > ? AND id <= ?{clause} ORDER BY id LIMIT ?",
        (first + sequence, first + until, *values, limit),
    ).fetchall()
    if clause:
        if len(found) == limit:  # there may be more before the end of what was looked through
            until = found[-1][6] & _SEQUENCE_MASK
        found = [row[:6] for row in found]
    until = max(until, sequence)
    return ResultPage(list(map(ResultRow._make, found)), until, until >= last, batch.state)


def _result_count(connection: Connection, key: int) -> int:
    count: int = connection.execute(
        "SELECT result_count FROM batch WHERE key = ?", (key,)
    ).fetchone()[0]
    return count


def _condition(where: ResultFilter | None) -> tuple[str, list[int]]:
    if where is None:
        return "", []
    clause, values = "", []
    for column, sense, numbers in (
        ("classification", "IN", where.classifications),
        ("classification", "NOT IN", where.exclude_classifications),
        ("status", "IN", where.statuses),
        ("status", "NOT IN", where.exclude_statuses),
    ):
        if numbers:
            clause += f" AND {column} {sense} ({', '.join('?' * len(numbers))})"
            values += sorted(numbers)
    return clause, values


def of_entry(connection: Connection, tenant: str, batch_id: str, index: int) -> EntryPlace:
    """Return an entry's result, or when it is tried again."""
    batch = sqlite_batches.get(connection, tenant, batch_id)
    rules.require_index(batch, index)
    row = _find(connection, batch.key, index)
    if row is not None:
        return EntryPlace(row, None)
    return EntryPlace(None, _next_attempt_at(connection, batch, index))


def _find(connection: Connection, key: int, index: int) -> ResultRow | None:
    first = key << KEY_BITS
    block = connection.execute(
        "SELECT sequences FROM place WHERE id = ?", (first + index // PLACE_BLOCK,)
    ).fetchone()
    if block is None:  # not built (yet): look through the results
        condition = "id > ? AND id <= ? AND entry_index = ?"
        values: tuple[int, ...] = (first, first + _SEQUENCE_MASK, index)
    else:
        condition = "id = ?"
        values = (first + from_blob(block[0])[index % PLACE_BLOCK],)
    row = connection.execute(
        f"SELECT {_ROW} FROM result WHERE {condition} LIMIT 1",  # noqa: S608
        values,
    ).fetchone()
    return None if row is None else ResultRow(*row)


def _next_attempt_at(connection: Connection, batch: Batch, index: int) -> float | None:
    for run_at, indexes in connection.execute(
        "SELECT run_at, indexes FROM chunk WHERE state = 2 AND batch_key = ?", (batch.key,)
    ):
        if index in from_blob(indexes):
            return float(run_at)
    return None


def to_place(connection: Connection) -> list[int]:
    """Return the keys of ended batches that are large enough for an index and have none."""
    rows = connection.execute(
        "SELECT key FROM batch WHERE state IN (?, ?) AND NOT placed AND result_count >= ?",
        (BatchState.COMPLETED, BatchState.CANCELLED, PLACED_FROM),
    )
    return [key for (key,) in rows]


def places(connection: Connection, key: int) -> Indexes:
    """Return, for each entry of an ended batch, the sequence of its result; 0 where none is.

    Returns nothing when the batch is too small for an index, or gone.
    """
    row = connection.execute(
        "SELECT entry_count FROM batch WHERE key = ? AND result_count >= ?", (key, PLACED_FROM)
    ).fetchone()
    if row is None:
        return packed()
    found = packed(itertools.repeat(0, row[0]))
    first = key << KEY_BITS
    for number, index in connection.execute(
        "SELECT id, entry_index FROM result WHERE id > ? AND id <= ?",
        (first, first + _SEQUENCE_MASK),
    ):
        found[index] = number & _SEQUENCE_MASK
    return found


def place(transaction: Transaction, key: int, sequences: Indexes) -> None:
    """Keep the index by entry of an ended batch; nothing happens when it is there or gone."""
    placed = transaction.connection.execute(
        "UPDATE batch SET placed = 1 WHERE key = ? AND NOT placed", (key,)
    )
    if placed.rowcount:
        transaction.connection.executemany(
            "INSERT INTO place (id, sequences) VALUES (?, ?)", _blocks(key, sequences)
        )


def _blocks(key: int, sequences: Indexes) -> Iterator[tuple[int, bytes]]:
    first = key << KEY_BITS
    for number, start in enumerate(range(0, len(sequences), PLACE_BLOCK)):
        yield first + number, to_blob(sequences[start : start + PLACE_BLOCK])
