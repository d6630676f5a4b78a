"""Results in SQL: appended by sequence, read by sequence, found by entry.

A row holds a segment of results (`store.segments`); its id ends with the sequence of the last.
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from mailvet.model.batch import (
    Batch,
    EntryPlace,
    ResultFilter,
    ResultPage,
    ResultRow,
)
from mailvet.model.status import BatchState, QualityLevel
from mailvet.model.usage import Usage, foreseen_halves, usage_of
from mailvet.store import rules, segments, sqlite_batches
from mailvet.store.base import Seal
from mailvet.store.chunks import Indexes, from_blob, packed, to_blob
from mailvet.store.segments import Docs, Heads, Segment
from mailvet.store.sqlite_batches import LogEnd
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction

SCAN_ROWS = 20_000
"""A filtered call reads at most so many rows: some ten milliseconds, however few of them pass."""

PLACED_FROM = 10_000
"""Below so many results a scan for one entry takes a millisecond or two: no index is built."""

PLACE_BLOCK = 1_000
"""Entries in one block of places: its 4,000 bytes fit a page of 4,096."""

_SEQUENCE_MASK = (1 << KEY_BITS) - 1


def append(
    transaction: Transaction,
    key: int,
    rows: Sequence[ResultRow],
    quality: QualityLevel,
    recalled: Collection[int],
    *,
    now: float,
) -> tuple[Usage, bool]:
    """Append results of a running batch; return what they cost, and whether they completed it.

    The entries of `recalled` were answered from memory.
    """
    connection = transaction.connection
    packed = [(len(run), *segments.pack(run)) for run in segments.cut(rows)]
    size = sum([len(heads) + len(docs) + len(more) for _, heads, docs, more in packed])
    tally = Counter([(row.status, row.classification) for row in rows])
    statuses = [(status, count) for (status, _), count in tally.items()]
    cached = [row.status for row in rows if row.entry_index in recalled] if recalled else ()
    last, expected = connection.execute(
        "UPDATE batch SET result_count = result_count + ?, stored_bytes = stored_bytes + ?,"
        " reserved_halves = max(0, reserved_halves - ?)"
        " WHERE key = ? RETURNING result_count, entry_count - removed_count",
        (len(rows), size, foreseen_halves(statuses, quality), key),
    ).fetchone()
    connection.executemany(
        "INSERT INTO result (id, heads, docs, evidence) VALUES (?, ?, ?, ?)",
        _numbered(packed, (key << KEY_BITS) + last - len(rows)),
    )
    connection.executemany(
        "INSERT INTO tally (batch_key, status, classification, count) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(key, *kind, count) for kind, count in tally.items()],
    )
    if last == expected:
        complete(connection, key, now=now)
    return usage_of(statuses, quality, cached), last == expected


def complete(connection: Connection, key: int, *, now: float) -> None:
    """Move a batch to COMPLETED; its callback is due."""
    connection.execute(
        "UPDATE batch SET state = ?1, end_time = ?2, reserved_halves = 0,"
        " callback_at = CASE WHEN callback <> '' THEN ?2 END WHERE key = ?3",
        (BatchState.COMPLETED, now, key),
    )


def _numbered(
    packed: Sequence[tuple[int, bytes, bytes, bytes]], last: int
) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    for count, *segment in packed:
        last += count
        heads, docs, evidence = segment
        yield last, heads, docs, evidence


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
    log = sqlite_batches.log_end(connection, tenant, batch_id)
    rows: list[ResultRow] = []
    place = sequence
    for until, heads, docs, evidence in _read(connection, log.key, sequence):
        found = segments.unpack(Segment(heads, docs, evidence))
        start = place - (until - len(found))
        positions = range(len(found)) if where is None else Heads(heads).passing(where)
        for position in positions:
            if position >= start:
                rows.append(found[position])
                if len(rows) == limit:
                    place = until - len(found) + position + 1
                    break
        else:
            place = until
        if len(rows) == limit or (where is not None and place - sequence >= SCAN_ROWS):
            break
    return ResultPage(rows, place, place >= log.result_count, log.state)


def page_start(
    connection: Connection,
    tenant: str,
    batch_id: str,
    sequence: int,
    *,
    limit: int,
    where: ResultFilter,
) -> int:
    """Return after which sequence the last results up to `sequence` begin that pass."""
    first = sqlite_batches.log_end(connection, tenant, batch_id).key << KEY_BITS
    # The segment that `sequence` is in may end behind it.
    rows = connection.execute(
        "SELECT id, heads FROM result WHERE id > ?1 AND id <= (SELECT min(id) FROM result"
        " WHERE id >= ?2 AND id <= ?3) ORDER BY id DESC",
        (first, first + sequence, first + _SEQUENCE_MASK),
    )
    place = sequence
    for number, blob in rows:
        heads = Heads(blob)
        start = number - first - heads.count
        passing = [at for at in heads.passing(where) if start + at < sequence]
        if len(passing) >= limit:
            place = start + passing[-limit]
            break
        limit -= len(passing)
        place = start
        if sequence - place >= SCAN_ROWS:
            break
    rows.close()
    return place


def joined_after(
    connection: Connection,
    tenant: str,
    batch_id: str,
    sequence: int,
    *,
    limit: int,
    max_bytes: int,
    pages: int,
    seal: Seal,
) -> list[ResultPage]:
    """Return pages of the docs of results after a sequence, as they are kept."""
    log = sqlite_batches.log_end(connection, tenant, batch_id)
    found: list[ResultPage] = []
    parts: list[bytes | memoryview] = []
    place = start = sequence
    room, ahead = max_bytes, rules.AHEAD_BYTES
    for until, heads, joined in _read(connection, log.key, sequence, "id, heads, docs"):
        docs = Docs(heads, joined)
        docs.skip(place - (until - docs.left))
        while docs.left:
            count, part = docs.take(limit - (place - start), room, at_least=int(place == start))
            parts.append(part)
            place += count
            room -= len(part)
            if place - start < limit and not docs.left:
                break
            found.append(_page(parts, place, log, seal))
            ahead -= max_bytes - room
            if len(found) == pages or ahead <= 0:
                return found
            parts, start, room = [], place, max_bytes
    if parts or not found:
        found.append(_page(parts, place, log, seal))
    return found


def _page(parts: "list[bytes | memoryview]", place: int, log: LogEnd, seal: Seal) -> ResultPage:
    caught_up = place >= log.result_count
    if not caught_up:
        parts.append(seal(place))
    return ResultPage([], place, caught_up, log.state, b"".join(parts))


def _read(
    connection: Connection, key: int, sequence: int, columns: str = "id, heads, docs, evidence"
) -> Iterator[tuple[Any, ...]]:
    """Yield the segments with results after a sequence; the first may begin before it."""
    first = key << KEY_BITS
    rows = connection.execute(
        f"SELECT {columns} FROM result WHERE id > ? AND id <= ? ORDER BY id",  # noqa: S608
        (first + sequence, first + _SEQUENCE_MASK),
    )
    try:
        for number, *rest in rows:
            yield number - first, *rest
    finally:
        rows.close()


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
    sequence = 0 if block is None else from_blob(block[0])[index % PLACE_BLOCK] - 1
    if sequence < 0:  # the batch ended without an answer to it
        return None
    # Without an index by entry (yet) its segment is looked for among all, else it is the first.
    for until, heads in _read(connection, key, sequence, "id, heads"):
        indexes = Heads(heads).indexes
        if index in indexes:
            segment = connection.execute(
                "SELECT heads, docs, evidence FROM result WHERE id = ?", (first + until,)
            ).fetchone()
            return segments.unpack(Segment(*segment))[indexes.index(index)]
        if block is not None:
            break
    return None


def _next_attempt_at(connection: Connection, batch: Batch, index: int) -> float | None:
    for run_at, indexes in connection.execute(
        "SELECT run_at, indexes FROM chunk WHERE stamp IS NULL AND batch_key = ?", (batch.key,)
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
    for until, heads in _read(connection, key, 0, "id, heads"):
        indexes = Heads(heads).indexes
        for sequence, index in enumerate(indexes, until - len(indexes) + 1):
            found[index] = sequence
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
