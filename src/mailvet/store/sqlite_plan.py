"""Cutting a launched batch into chunks, in SQL order and in little memory.

Two passes over the entries, each in one snapshot: by duplicates key, then by domain. What is kept
of a million entries is a bitmap and the packed indexes of the chunks.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mailvet.model.status import BatchState, Deduplication
from mailvet.store.chunks import (
    OFFLINE_CHUNK_SIZE,
    Cut,
    cut,
    cut_duplicates,
    spread,
    to_blob,
)
from mailvet.store.fairness import stamps
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS, READY
from mailvet.store.sqlite_work import virtual_time
from mailvet.store.sqlite_writer import Transaction

_INDEX_MASK = (1 << KEY_BITS) - 1


class Plan(NamedTuple):
    """The chunks of a batch, in the order they are to be served."""

    batch_key: int
    cuts: list[Cut]


def to_plan(connection: Connection) -> list[int]:
    """Return the keys of launched batches that have no chunks yet."""
    rows = connection.execute("SELECT key FROM batch WHERE state = 2 AND planned = 0 ORDER BY key")
    return [key for (key,) in rows]


def plan(connection: Connection, key: int, *, chunk_size: int) -> Plan:
    """Cut one batch: what needs no network first, then the rest in order of domain."""
    row = connection.execute(
        "SELECT entry_count, deduplication, keep_last FROM batch WHERE key = ?", (key,)
    ).fetchone()
    if row is None:  # deleted meanwhile
        return Plan(key, [])
    entry_count, deduplication, keep_last = row
    repeats = bytearray(entry_count)  # 1 where the entry is a duplicate
    duplicates: list[Cut] = []
    if deduplication != Deduplication.OFF:
        pairs = _duplicates(connection, key, keep_last=bool(keep_last))
        duplicates = list(cut_duplicates(_marked(pairs, repeats), OFFLINE_CHUNK_SIZE))
    offline = list(cut(_without_domain(connection, key, repeats), OFFLINE_CHUNK_SIZE))
    online = list(cut(_by_domain(connection, key, repeats), chunk_size))
    return Plan(key, offline + duplicates + spread(online))


def _bounds(key: int) -> tuple[int, int]:
    return key << KEY_BITS, (key + 1) << KEY_BITS


def _duplicates(connection: Connection, key: int, *, keep_last: bool) -> Iterator[tuple[int, int]]:
    """Yield (index, index of the one that is kept) for every duplicate."""
    order = "DESC" if keep_last else "ASC"
    kept_key, kept = 0, 0
    for entry_key, index in connection.execute(
        "SELECT key, id & ? FROM entry WHERE id >= ? AND id < ? AND key <> 0"  # noqa: S608
        f" ORDER BY key, id {order}",
        (_INDEX_MASK, *_bounds(key)),
    ):
        if entry_key == kept_key:
            yield index, kept
        else:
            kept_key, kept = entry_key, index


def _marked(pairs: Iterable[tuple[int, int]], repeats: bytearray) -> Iterator[tuple[int, int]]:
    for pair in pairs:
        repeats[pair[0]] = 1
        yield pair


def _without_domain(connection: Connection, key: int, repeats: bytearray) -> Iterator[int]:
    for (index,) in connection.execute(
        "SELECT id & ? FROM entry WHERE id >= ? AND id < ? AND domain = '' ORDER BY id",
        (_INDEX_MASK, *_bounds(key)),
    ):
        if not repeats[index]:
            yield index


def _by_domain(connection: Connection, key: int, repeats: bytearray) -> Iterator[int]:
    for (index,) in connection.execute(
        "SELECT id & ? FROM entry WHERE id >= ? AND id < ? AND domain <> '' ORDER BY domain, id",
        (_INDEX_MASK, *_bounds(key)),
    ):
        if not repeats[index]:
            yield index


def _blobs(chunk: Cut) -> tuple[bytes, bytes | None]:
    originals = chunk.originals
    return to_blob(chunk.indexes), None if originals is None else to_blob(originals)


def keep(transaction: Transaction, planned: Plan, *, now: float) -> bool:
    """Queue the chunks of a batch; False when that was done, or the batch ended, meanwhile."""
    connection, key = transaction.connection, planned.batch_key
    row = connection.execute(
        "SELECT priority, stamp FROM batch WHERE key = ? AND state = ? AND planned = 0",
        (key, BatchState.RUNNING),
    ).fetchone()
    if row is None:
        return False
    priority, last = row
    given = stamps(
        [len(chunk.indexes) for chunk in planned.cuts],
        priority=priority,
        virtual_time=virtual_time(connection),
        last=last,
    )
    connection.executemany(
        "INSERT INTO chunk (batch_key, state, run_at, stamp, size, indexes, originals)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (key, READY, now, stamp, len(chunk.indexes), *_blobs(chunk))
            for stamp, chunk in zip(given, planned.cuts, strict=True)
        ],
    )
    connection.execute("UPDATE batch SET planned = 1, stamp = ? WHERE key = ?", (given[-1], key))
    transaction.touched.add(key)
    transaction.touch_work()
    return True
