"""Cutting a launched batch into chunks, in little memory.

One pass over the entries, in one snapshot, tells what of a batch repeats what and which domains it
has (`store.sifting`); SQLite sorts the domains only where there are too many of them. What is kept
of a million entries is a bitmap and the packed indexes of the chunks.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from mailvet.model.batch import Removal
from mailvet.model.status import BatchState, Deduplication
from mailvet.store import sqlite_results
from mailvet.store.chunks import OFFLINE_CHUNK_SIZE, Cut, Indexes, cut, packed, spread, to_blob
from mailvet.store.fairness import stamps
from mailvet.store.fresh import Recent
from mailvet.store.sifting import MAX_DOMAINS, Sifting
from mailvet.store.sqlite_counts import WRONG_PHONE
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import KEY_BITS, READY
from mailvet.store.sqlite_work import virtual_time
from mailvet.store.sqlite_writer import Transaction

MAX_KEYS = 1_000_000
"""Remembered at once, some 100 MB. A larger batch is gone through again for each so many entries,
each time for another part of the keys."""

BLOCK = 5_000
"""Entries that SQLite puts together for one row: their own rows cost twice as much, and before each
the thread would wait for the interpreter."""

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


def plan(
    connection: Connection,
    key: int,
    *,
    chunk_size: int,
    max_keys: int = MAX_KEYS,
    max_domains: int = MAX_DOMAINS,
    recent: Recent | None = None,
) -> Plan:
    """Cut one batch: what needs no network first, then the rest in order of domain.

    `recent` is what of its entries is in memory.
    """
    row = connection.execute(
        "SELECT entry_count, deduplication, keep_last, removal FROM batch WHERE key = ?", (key,)
    ).fetchone()
    if row is None:  # deleted meanwhile
        return Plan(key, [])
    entry_count, deduplication, keep_last, removal = row
    scope = Scope(
        key,
        entry_count,
        all_differ=deduplication == Deduplication.OFF,
        keep_last=bool(keep_last),
        condition=f" AND NOT {WRONG_PHONE}" if Removal.WRONG_PHONE & removal else "",
    )
    if (
        recent is not None
        and recent.count == entry_count
        and entry_count <= max_keys
        and not scope.condition
    ):
        found = _sift_recent(recent, scope, max_domains)
    else:
        found = _sift(connection, scope, max_keys, max_domains)
    by_domain = found.by_domain()
    if by_domain is None:
        by_domain = _by_domain(connection, scope, found)
    cuts: list[Cut] = []
    if not Removal.WRONG_FORMAT & removal:
        cuts += cut(packed(sorted(found.without)), OFFLINE_CHUNK_SIZE)
    if not Removal.DUPLICATES & removal:
        cuts += cut(found.duplicates, OFFLINE_CHUNK_SIZE, found.originals)
    cuts += spread(list(cut(by_domain, chunk_size)))
    return Plan(key, cuts, entry_count - sum([len(chunk.indexes) for chunk in cuts]))


class Scope(NamedTuple):
    """Which entries of a batch count, and which of those with one key is kept."""

    batch_key: int
    entry_count: int
    all_differ: bool
    keep_last: bool
    condition: str
    """Of SQL, behind others."""


def _sift(connection: Connection, scope: Scope, max_keys: int, max_domains: int) -> Sifting:
    found = Sifting(scope.entry_count, max_domains)
    parts = -(-scope.entry_count // max_keys)
    first = scope.batch_key << KEY_BITS
    key = "0" if scope.all_differ else "key"
    of_part = "" if parts == 1 else f" AND key % {parts} = ?"
    query = (
        f"SELECT json_group_array(id & {_INDEX_MASK}), json_group_array({key}),"  # noqa: S608
        # No domain has a space.
        " group_concat(domain, ' ') FROM (SELECT id, key, domain FROM entry"
        f" WHERE id >= ? AND id < ?{of_part}{scope.condition} ORDER BY id)"
    )
    starts = range(0, scope.entry_count, BLOCK)
    for part in range(parts):
        for start in reversed(starts) if scope.keep_last else starts:
            bounds = (first + start, first + start + BLOCK)
            values = bounds if parts == 1 else (*bounds, part)
            indexes, keys, domains = connection.execute(query, values).fetchone()
            if domains is not None:
                block = (json.loads(indexes), json.loads(keys), domains.split(" "))
                if scope.keep_last:
                    for column in block:
                        column.reverse()
                found.see(*block)
        found.forget_keys()
    return found


def _sift_recent(recent: Recent, scope: Scope, max_domains: int) -> Sifting:
    """Do what `_sift` does, with nothing read."""
    found = Sifting(scope.entry_count, max_domains)
    starts = range(0, scope.entry_count, BLOCK)
    for start in reversed(starts) if scope.keep_last else starts:
        stop = min(start + BLOCK, scope.entry_count)
        indexes: Sequence[int] = range(start, stop)
        keys: Sequence[int] = [0] * len(indexes) if scope.all_differ else recent.keys[start:stop]
        domains = recent.domains(start, stop)
        if scope.keep_last:
            indexes, keys, domains = indexes[::-1], keys[::-1], domains[::-1]
        found.see(indexes, keys, domains)
    found.forget_keys()
    return found


def _by_domain(connection: Connection, scope: Scope, found: Sifting) -> Indexes:
    """Return what `Sifting.by_domain` does, however many domains there are."""
    rows = connection.execute(
        f"SELECT id & ? FROM entry WHERE id >= ? AND id < ? AND domain <> ''"  # noqa: S608
        f"{scope.condition} ORDER BY domain, id",
        (_INDEX_MASK, scope.batch_key << KEY_BITS, (scope.batch_key + 1) << KEY_BITS),
    )
    return packed(index for (index,) in rows if not found.is_repeat(index))


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
        transaction.altered.add(key)
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
