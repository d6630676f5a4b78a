"""One address erased from a SQLite store: batch by batch, its entries first, then its results."""

import asyncio
import re
from collections.abc import Callable, Sequence

from mailvet.model.batch import Entry
from mailvet.store import segments
from mailvet.store.chunks import from_blob
from mailvet.store.erasing import ERASED_ENTRY, Erasure, Texts, Wanted, holds, rewritten
from mailvet.store.keeping import bytes_of
from mailvet.store.segments import Heads, Segment
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_schema import HELD, KEY_BITS, READY
from mailvet.store.sqlite_work import park
from mailvet.store.sqlite_writer import Transaction

SEGMENTS_AT_ONCE = 20
"""Segments rewritten in one transaction: some 20 ms in which others wait."""

_INDEX_MASK = (1 << KEY_BITS) - 1


class SqliteErasing:
    """The part of a SQLite store that answers `Erasing`."""

    _file: OpenFile

    async def erase_address(self, tenant: str, wanted: Wanted) -> Erasure:
        """See `Erasing.erase_address`."""
        erasure = Erasure([])

        async def chore() -> None:
            for key, batch_id in await self._file.read(lambda c: _batches(c, tenant)):
                if await self._erase_from(key, wanted, erasure):
                    erasure.batch_ids.append(batch_id)
            await self._file.erase()  # empties the log

        # A caller that goes away does not stop it: what was asked for is gone from disk.
        await asyncio.shield(self._file.start(chore()))
        return erasure

    async def _erase_from(self, key: int, wanted: Wanted, erasure: Erasure) -> bool:
        indexes = set(await self._file.read(lambda c: _holding(c, key, wanted)))
        has_file = await self._file.read(lambda c: _has_file(c, key, wanted, any_=bool(indexes)))
        changed = await self._file.rescue(lambda t: _blank(t, key, indexes, wanted, has_file))
        erasure.entry_count += len(indexes)
        erasure.file_count += has_file
        # Only now: until its entries were blank and its leases gone, results might have come.
        found = await self._file.read(lambda c: _segments(c, key, indexes, wanted))
        results = 0
        for start in range(0, len(found), SEGMENTS_AT_ONCE):
            some = found[start : start + SEGMENTS_AT_ONCE]
            results += await self._file.rescue(_rewriting(key, some, indexes, wanted))
        erasure.result_count += results
        return changed or has_file or bool(indexes) or bool(results)


def _batches(connection: Connection, tenant: str) -> list[tuple[int, str]]:
    return connection.execute(
        "SELECT key, batch_id FROM batch WHERE tenant = ? ORDER BY key", (tenant,)
    ).fetchall()


def _holding(connection: Connection, key: int, wanted: Wanted) -> list[int]:
    """Return the indexes of entries that hold the address; SQL picks those that may."""
    spelt = " OR ".join(
        f"instr(lower({column}), ?)"
        for column in ("input_data", "custom", "labels")
        for _ in wanted.spellings
    )
    rows = connection.execute(
        "SELECT id & ?, input_data, custom, domain, key, labels FROM entry"  # noqa: S608
        f" WHERE id >= ? AND id < ? AND (domain = ? OR {spelt})",
        (
            _INDEX_MASK,
            key << KEY_BITS,
            (key + 1) << KEY_BITS,
            wanted.domain,
            *(wanted.spellings * 3),
        ),
    )
    return [index for index, *entry in rows if holds(wanted, Entry(*entry))]


def _has_file(connection: Connection, key: int, wanted: Wanted, *, any_: bool) -> bool:
    """Whether a batch has a file that may hold the address."""
    row = connection.execute("SELECT name FROM upload WHERE batch_key = ?", (key,)).fetchone()
    if row is None:
        return False
    if any_ or wanted.mentions(row[0]):
        return True
    needles = [re.escape(spelling.encode()) for spelling in wanted.spellings]
    pattern = re.compile(b"|".join(needles), re.IGNORECASE)
    overlap = max(len(spelling.encode()) for spelling in wanted.spellings)
    tail = b""
    for (data,) in connection.execute(
        "SELECT data FROM upload_part WHERE id >= ? AND id < ? ORDER BY id",
        (key << KEY_BITS, (key + 1) << KEY_BITS),
    ):
        if pattern.search(tail + data):
            return True
        tail = data[-overlap:]
    return False


def _blank(
    transaction: Transaction, key: int, indexes: set[int], wanted: Wanted, has_file: bool
) -> bool:
    """Take the address out of everything but the results; True when the batch's texts had it."""
    connection = transaction.connection
    changed = _clean_texts(connection, key, wanted)
    freed = _blank_entries(connection, key, sorted(indexes))
    if indexes:
        transaction.altered.add(key)
        _end_leases(connection, key, indexes)
        transaction.touch_work()
    if has_file:
        freed += _drop_file(connection, key)
    if freed:
        connection.execute(
            "UPDATE batch SET stored_bytes = max(0, stored_bytes - ?) WHERE key = ?", (freed, key)
        )
    if changed or freed:
        transaction.touched.add(key)
    return changed


def _clean_texts(connection: Connection, key: int, wanted: Wanted) -> bool:
    row = connection.execute(
        "SELECT name, description, labels FROM batch WHERE key = ?", (key,)
    ).fetchone()
    if row is None:  # deleted meanwhile
        return False
    texts = Texts(*row)
    cleaned = Texts(*map(wanted.cleaned, texts))
    if cleaned == texts:
        return False
    connection.execute(
        "UPDATE batch SET name = ?, description = ?, labels = ?, revision = revision + 1"
        " WHERE key = ?",
        (*cleaned, key),
    )
    return True


def _blank_entries(connection: Connection, key: int, indexes: Sequence[int]) -> int:
    freed = 0
    for index in indexes:
        number = (key << KEY_BITS) + index
        row = connection.execute(
            "SELECT input_data, custom, domain, key, labels FROM entry WHERE id = ?", (number,)
        ).fetchone()
        if row is None:
            continue
        freed += max(0, bytes_of([Entry(*row)]) - bytes_of([ERASED_ENTRY]))
        connection.execute(
            "UPDATE entry SET input_data = ?, custom = ?, domain = ?, key = ?, labels = ?"
            " WHERE id = ?",
            (*ERASED_ENTRY, number),
        )
    return freed


def _end_leases(connection: Connection, key: int, indexes: set[int]) -> None:
    """Take the chunks with these entries from their workers: what they know must not come back."""
    held = connection.execute(
        "SELECT id, indexes FROM chunk WHERE batch_key = ? AND state = ?", (key, HELD)
    ).fetchall()
    connection.executemany(
        "UPDATE chunk SET state = ?, owner = NULL, lease_until = NULL WHERE id = ?",
        [(READY, number) for number, blob in held if not indexes.isdisjoint(from_blob(blob))],
    )
    park(connection)


def _drop_file(connection: Connection, key: int) -> int:
    row = connection.execute(
        "DELETE FROM upload WHERE batch_key = ? RETURNING size", (key,)
    ).fetchone()
    connection.execute(
        "DELETE FROM upload_part WHERE id >= ? AND id < ?",
        (key << KEY_BITS, (key + 1) << KEY_BITS),
    )
    return int(row[0]) if row else 0


def _segments(connection: Connection, key: int, indexes: set[int], wanted: Wanted) -> list[int]:
    """Return the ids of segments with results to be rewritten."""
    needles = [spelling.encode("utf-8", "surrogatepass") for spelling in wanted.spellings]
    found = []
    for number, heads, docs, evidence in connection.execute(
        "SELECT id, heads, docs, evidence FROM result WHERE id >= ? AND id < ?",
        (key << KEY_BITS, (key + 1) << KEY_BITS),
    ):
        if not indexes.isdisjoint(Heads(heads).indexes):
            found.append(number)
            continue
        lowered = docs.lower() + b"\0" + evidence.lower()
        if any(needle in lowered for needle in needles):
            found.append(number)
    return found


def _rewriting(
    key: int, numbers: Sequence[int], indexes: set[int], wanted: Wanted
) -> Callable[[Transaction], int]:
    def operation(transaction: Transaction) -> int:
        connection, changed = transaction.connection, 0
        for number in numbers:
            row = connection.execute(
                "SELECT heads, docs, evidence FROM result WHERE id = ?", (number,)
            ).fetchone()
            if row is None:
                continue
            rows = segments.unpack(Segment(*row))
            count = rewritten(wanted, rows, indexes)
            if count:
                connection.execute(
                    "UPDATE result SET heads = ?, docs = ?, evidence = ? WHERE id = ?",
                    (*segments.pack(rows), number),
                )
            changed += count
        if changed:
            transaction.touched.add(key)
        return changed

    return operation
