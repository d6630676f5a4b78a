"""Cutting a launched batch into chunks, in SQL order and in little memory.

Two passes over the entries, each in one snapshot: by duplicates key, then by domain. What is kept
of a million entries is a bitmap and the packed indexes of the chunks.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mailvet.model.batch import Removal
from mailvet.model.status import BatchState, Deduplication
from mailvet.store import sqlite_results
from mailvet.store.chunks import (
    OFFLINE_CHUNK_SIZE,
    Cut,
    Indexes,
    cut,
    cut_duplicates,
    packed,
    spread,
    to_blob,
)
from mailvet.store.fairness import stamps
from mailvet.store.sqlite_counts import WRONG_PHONE
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS, READY
from mailvet.store.sqlite_work import virtual_time
from mailvet.store.sqlite_writer import Transaction

_INDEX_MASK = (1 << KEY_BITS) - 1


class Plan(NamedTuple):
    """The chunks of a batch, in the order they are to be served."""

    batch_key: int
    cuts: list[Cut]
    removed_count: int = 0


def to_plan(connection: Connection) -> list[int]:
    """Return the keys of launched batches that have no chunks yet."""
    rows = connection.execute("SELECT key FROM batch WHERE state = 2 AND planned = 0 ORDER BY key")
    return [key for (key,) in rows]


def plan(connection: Connection, key: int, *, chunk_size: int) -> Plan:
    """Cut one batch: what needs no network first, then the rest in order of domain."""
    row = connection.execute(
        "SELECT entry_count, deduplication, keep_last, removal FROM batch WHERE key = ?", (key,)
    ).fetchone()
    if row is None:  # deleted meanwhile
        return Plan(key, [])
    entry_count, deduplication, keep_last, removal = row
    scope = _scope(key, Removal(removal))
    repeats = bytearray(entry_count)  # 1 where the entry is a duplicate
    duplicates: list[Cut] = []
    if deduplication != Deduplication.OFF:
        pairs = _duplicates(connection, scope, keep_last=bool(keep_last))
        duplicates = list(cut_duplicates(_marked(pairs, repeats), OFFLINE_CHUNK_SIZE))
    without_domain, by_domain = _sorted(connection, scope, repeats)
    if Removal.WRONG_FORMAT & removal:
        without_domain = packed()
    if Removal.DUPLICATES & removal:
        duplicates = []
    offline = list(cut(without_domain, OFFLINE_CHUNK_SIZE))
    cuts = offline + duplicates + spread(list(cut(by_domain, chunk_size)))
    return Plan(key, cuts, entry_count - sum([len(chunk.indexes) for chunk in cuts]))


class Scope(NamedTuple):
    """Which entries of a batch count, as a condition."""

    text: str
    values: tuple[int, int]


def _scope(key: int, removal: Removal) -> Scope:
    text = "id >= ? AND id < ?"
    if Removal.WRONG_PHONE in removal:
        text += f" AND NOT {WRONG_PHONE}"
    return Scope(text, (key << KEY_BITS, (key + 1) << KEY_BITS))


def _duplicates(
    connection: Connection, scope: Scope, *, keep_last: bool
) -> Iterator[tuple[int, int]]:
    """Yield (index, index of the one that is kept) for every duplicate."""
    order = "DESC" if keep_last else "ASC"
    return connection.execute(
        "SELECT id & ?, kept & ? FROM (SELECT id, first_value(id)"  # noqa: S608
        f" OVER (PARTITION BY key ORDER BY id {order}) AS kept"
        f" FROM entry WHERE {scope.text} AND key <> 0) WHERE id <> kept",
        (_INDEX_MASK, _INDEX_MASK, *scope.values),
    )


def _marked(pairs: Iterable[tuple[int, int]], repeats: bytearray) -> Iterator[tuple[int, int]]:
    for pair in pairs:
        repeats[pair[0]] = 1
        yield pair


def _sorted(connection: Connection, scope: Scope, repeats: bytearray) -> tuple[Indexes, Indexes]:
    """Return the entries without a domain, and the others in order of domain; no duplicates."""
    without_domain, by_domain = packed(), packed()
    for index, offline in connection.execute(
        f"SELECT id & ?, domain = '' FROM entry WHERE {scope.text}"  # noqa: S608
        " ORDER BY domain, id",
        (_INDEX_MASK, *scope.values),
    ):
        if not repeats[index]:
            (without_domain if offline else by_domain).append(index)
    return without_domain, by_domain


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
    connection.execute(
        "UPDATE batch SET planned = 1, removed_count = ? WHERE key = ?",
        (planned.removed_count, key),
    )
    transaction.touched.add(key)
    if not planned.cuts:
        sqlite_results.complete(connection, key, now=now)
        return True
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
    connection.execute("UPDATE batch SET stamp = ? WHERE key = ?", (given[-1], key))
    transaction.touch_work()
    return True
