"""Chunks in SQL: claim the fairest under a lease, settle under the fence, wait, reap."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from mailvet.model.batch import Deferral, ResultRow, Settlement
from mailvet.model.usage import NO_USAGE, Charge, Usage, day_of
from mailvet.store import sqlite_ledger, sqlite_results
from mailvet.store.chunks import divide, from_blob, packed, to_blob
from mailvet.store.fairness import stamps
from mailvet.store.sqlite_batches import next_number
from mailvet.store.sqlite_claims import Held, originals_of
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_schema import HELD, READY, WAITING
from mailvet.store.sqlite_writer import Transaction
from mailvet.store.suspects import SUSPECT, after_death, is_halved

PROMOTIONS = 1_000
"""Waiting chunks made ready by one claim at most; more are made ready by the next."""


def virtual_time(connection: Connection) -> float:
    """Return the largest stamp claimed so far."""
    row = connection.execute("SELECT virtual_time FROM clock").fetchone()
    return float(row[0])


def release_all(connection: Connection) -> None:
    """Make every held chunk ready: for a store just opened, which nobody else can have open."""
    _count_deaths(connection, None)
    _let_go_of(connection, None)
    park(connection)


def park(connection: Connection) -> None:
    """Set aside what is ready or waits of paused batches: nobody claims it, nothing is due."""
    connection.execute(
        "UPDATE chunk SET state = 3 WHERE state IN (0, 2)"
        " AND batch_key IN (SELECT key FROM batch WHERE state = 5)"
    )


def claim(
    transaction: Transaction, owner: str, *, max_entries: int, now: float, lease_until: float
) -> list[Held]:
    """Put the fairest ready chunks under a lease."""
    connection = transaction.connection
    _promote(connection, now)
    fairest = _fairest(connection, max_entries)
    if not fairest:
        return []
    held = []
    for _, _, number, *rest in fairest:
        held.append(Held(number, next_number(connection, "fence"), *rest))
    connection.executemany(
        "UPDATE chunk SET state = ?, fence = ?, owner = ?, lease_until = ? WHERE id = ?",
        [(HELD, chunk.fence, owner, lease_until, chunk.chunk) for chunk in held],
    )
    latest = fairest[-1][0]
    connection.execute("UPDATE clock SET virtual_time = max(virtual_time, ?)", (latest,))
    return held


def _fairest(connection: Connection, max_entries: int) -> list[tuple[Any, ...]]:
    """Return ready chunks in order of their stamps, until they have enough entries."""
    taken: list[tuple[Any, ...]] = []
    ready = connection.execute(
        "SELECT stamp, size, id, batch_key, attempt, first_attempt_at, indexes, originals, deaths"
        " FROM chunk WHERE state = 0 ORDER BY stamp, id"
    )
    room = max_entries
    for row in ready:
        if row[-1] == SUSPECT:
            if taken or _holds_a_suspect(connection):
                continue
            taken.append(row)
            break
        taken.append(row)
        room -= row[1]
        if room <= 0:
            break
    ready.close()  # the rest is not read, and the rows are about to be changed
    return taken


def _holds_a_suspect(connection: Connection) -> bool:
    query = "SELECT 1 FROM chunk WHERE state = 1 AND deaths = ? LIMIT 1"
    return connection.execute(query, (SUSPECT,)).fetchone() is not None


def _promote(connection: Connection, now: float) -> None:
    """Make waiting chunks ready whose time has come, stamped as work that is queued now.

    A batch's retries have a stamp of their own: behind the rest of the batch they would come
    hours late, and all at the same stamp they would hold up everybody else.
    """
    due = connection.execute(
        "SELECT c.id, c.size, c.batch_key, b.priority, b.retry_stamp FROM chunk AS c"  # noqa: S608
        " JOIN batch AS b ON b.key = c.batch_key"
        # A limit that is bound has the statement made anew every time.
        f" WHERE c.state = 2 AND c.run_at <= ? ORDER BY c.run_at LIMIT {PROMOTIONS}",
        (now,),
    ).fetchall()
    if not due:
        return
    time = virtual_time(connection)
    latest: dict[int, float] = {}
    ready = []
    for number, size, key, priority, retry_stamp in due:
        last = latest.get(key, retry_stamp)
        (latest[key],) = stamps([size], priority=priority, virtual_time=time, last=last)
        ready.append((READY, latest[key], number))
    connection.executemany("UPDATE chunk SET state = ?, stamp = ? WHERE id = ?", ready)
    connection.executemany(
        "UPDATE batch SET retry_stamp = ? WHERE key = ?",
        [(stamp, key) for key, stamp in latest.items()],
    )


def let_go(connection: Connection, held: Sequence[Held]) -> None:
    """Make chunks ready again that were claimed in vain, as far as they are still so."""
    connection.executemany(
        "UPDATE chunk SET state = 0, owner = NULL, lease_until = NULL WHERE id = ? AND fence = ?",
        [(chunk.chunk, chunk.fence) for chunk in held],
    )
    if held:
        park(connection)


def settle(
    transaction: Transaction, settlements: Sequence[Settlement], *, now: float
) -> tuple[list[bool], list[int]]:
    """Commit what was learnt; return which still held, and the keys of batches now complete."""
    results: dict[int, list[ResultRow]] = {}
    held = [_settle_chunk(transaction, one, results, now) for one in settlements]
    if any(one.deferrals for one in settlements):
        park(transaction.connection)
    transaction.touched.update(
        one.claim.batch_key for one, kept in zip(settlements, held, strict=True) if kept
    )
    claims = {one.claim.batch_key: one.claim for one in settlements}
    recalled = _recalled(settlements)
    completed = []
    spent: dict[str, Usage] = {}
    for key, rows in results.items():
        if not rows:
            continue
        claim = claims[key]
        usage, ended = sqlite_results.append(
            transaction, key, rows, claim.quality, recalled.get(key, frozenset()), now=now
        )
        spent[claim.tenant] = spent.get(claim.tenant, NO_USAGE).plus(usage)
        if ended:
            completed.append(key)
            transaction.altered.add(key)
    for tenant, usage in spent.items():
        sqlite_ledger.charge(transaction.connection, Charge(tenant, day_of(now), usage))
    return held, completed


def _recalled(settlements: Sequence[Settlement]) -> dict[int, frozenset[int]]:
    """Return which entries of each batch were answered from memory."""
    found: dict[int, frozenset[int]] = {}
    for one in settlements:
        if one.recalled:
            key = one.claim.batch_key
            found[key] = found.get(key, frozenset()) | one.recalled
    return found


def _settle_chunk(
    transaction: Transaction,
    settlement: Settlement,
    results: dict[int, list[ResultRow]],
    now: float,
) -> bool:
    connection, claimed = transaction.connection, settlement.claim
    row = connection.execute(
        "SELECT batch_key, attempt, coalesce(first_attempt_at, ?), indexes, originals FROM chunk"
        " WHERE id = ? AND fence = ? AND state = ?",
        (now, claimed.chunk, claimed.fence, HELD),
    ).fetchone()
    if row is None:
        return False
    key, attempt, first_attempt_at, blob, originals_blob = row
    indexes = from_blob(blob)
    parts = divide(indexes, settlement)
    results.setdefault(key, []).extend(parts.results)
    originals = originals_of(indexes, originals_blob) if parts.deferrals or parts.rest else None
    for deferral in parts.deferrals:
        _defer(connection, deferral, (key, attempt + 1, first_attempt_at), originals)
        transaction.touch_work()
    if parts.rest:
        connection.execute(
            "UPDATE chunk SET size = ?, indexes = ?, originals = ? WHERE id = ?",
            (len(parts.rest), to_blob(parts.rest), _pick(originals, parts.rest), claimed.chunk),
        )
    else:
        connection.execute("DELETE FROM chunk WHERE id = ?", (claimed.chunk,))
    return True


def _pick(originals: dict[int, int] | None, indexes: Sequence[int]) -> bytes | None:
    if originals is None:
        return None
    return to_blob(packed(originals[index] for index in indexes))


def _defer(
    connection: Connection,
    deferral: Deferral,
    common: tuple[int, int, float],
    originals: dict[int, int] | None,
) -> None:
    connection.execute(
        "INSERT INTO chunk (state, run_at, size, indexes, originals,"
        " batch_key, attempt, first_attempt_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            WAITING,
            deferral.run_at,
            len(deferral.indexes),
            to_blob(packed(deferral.indexes)),
            _pick(originals, deferral.indexes),
            *common,
        ),
    )


def heartbeat(
    transaction: Transaction, owner: str, chunks: Collection[int], *, lease_until: float
) -> frozenset[int]:
    """Extend the leases an owner has of some chunks; return the keys of their batches."""
    rows = transaction.connection.execute(
        "UPDATE chunk SET lease_until = ? WHERE state = 1 AND owner = ?"
        " AND id IN (SELECT value FROM json_each(?)) RETURNING batch_key",
        (lease_until, owner, json.dumps(list(chunks))),
    ).fetchall()
    return frozenset(key for (key,) in rows)


def reap(transaction: Transaction, *, now: float) -> int:
    """Make chunks ready again whose lease ran out; their stamps are kept, so they come soon."""
    reaped = transaction.connection.execute(
        "UPDATE chunk SET state = 0, owner = NULL, lease_until = NULL"
        " WHERE state = 1 AND lease_until < ?",
        (now,),
    ).rowcount
    if reaped:
        park(transaction.connection)
        transaction.touch_work()
    return reaped


def let_go_of(transaction: Transaction, *, owner: str, died: bool) -> int:
    """Make the chunks of an owner ready again that is known to be gone."""
    if died:
        _count_deaths(transaction.connection, owner)
    ready = _let_go_of(transaction.connection, owner)
    if ready:
        park(transaction.connection)
        transaction.touch_work()
    return ready


def _let_go_of(connection: Connection, owner: str | None) -> int:
    return connection.execute(
        "UPDATE chunk SET state = 0, owner = NULL, lease_until = NULL"
        " WHERE state = 1 AND (?1 IS NULL OR owner = ?1)",
        (owner,),
    ).rowcount


def _count_deaths(connection: Connection, owner: str | None) -> None:
    """Count the death of an owner, or of all, against what it holds; see `store.suspects`."""
    held = connection.execute(
        "SELECT id, deaths, size FROM chunk WHERE state = 1 AND (?1 IS NULL OR owner = ?1)",
        (owner,),
    ).fetchall()
    for number, deaths, size in held:
        if is_halved(deaths, size):
            _halve(connection, number)
    connection.executemany(
        "UPDATE chunk SET deaths = ? WHERE id = ?",
        [(after_death(deaths, size), number) for number, deaths, size in held],
    )


def _halve(connection: Connection, number: int) -> None:
    row = connection.execute(
        "SELECT indexes, originals FROM chunk WHERE id = ?", (number,)
    ).fetchone()
    indexes = from_blob(row[0])
    originals = originals_of(indexes, row[1])
    half = len(indexes) // 2
    first, second = [
        (len(part), to_blob(part), _pick(originals, part))
        for part in (indexes[:half], indexes[half:])
    ]
    connection.execute(
        "INSERT INTO chunk (batch_key, state, run_at, attempt, first_attempt_at, stamp, deaths,"
        " size, indexes, originals) SELECT batch_key, 0, run_at, attempt, first_attempt_at, stamp,"
        " deaths, ?, ?, ? FROM chunk WHERE id = ?",
        (*second, number),
    )
    connection.execute(
        "UPDATE chunk SET size = ?, indexes = ?, originals = ? WHERE id = ?", (*first, number)
    )


def next_run_at(connection: Connection) -> float | None:
    """Return when the earliest chunk that nobody holds becomes ready."""
    row = connection.execute(
        "SELECT coalesce((SELECT run_at FROM chunk WHERE state = 0 ORDER BY stamp, id LIMIT 1),"
        " (SELECT min(run_at) FROM chunk WHERE state = 2))"
    ).fetchone()
    return None if row[0] is None else float(row[0])
