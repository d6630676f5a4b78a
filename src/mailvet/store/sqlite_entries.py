"""Batches selected in SQL, and their entries read, found, counted, given other keys."""

from collections.abc import Sequence

from mailvet.errors import NotFound
from mailvet.model.batch import Batch, Entry
from mailvet.model.selection import Selection
from mailvet.model.status import BatchState
from mailvet.store import rules, sqlite_batches, sqlite_selection
from mailvet.store.base_entries import EntryCounts
from mailvet.store.sqlite_counts import counts_of
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction

_INDEX_MASK = (1 << KEY_BITS) - 1


class SqliteEntries:
    """That part of the SQLite store."""

    _file: OpenFile

    async def select_batches(
        self, tenant: str, selection: Selection, *, states: frozenset[BatchState] = frozenset()
    ) -> list[Batch]:
        """See `Store.select_batches`."""
        return await self._file.read(
            lambda c: sqlite_selection.select(c, tenant, selection, states)
        )

    async def entries_at(self, tenant: str, batch_id: str, indexes: Sequence[int]) -> list[Entry]:
        """See `EntryStore.entries_at`."""
        return await self._file.read(lambda c: _at(c, tenant, batch_id, indexes))

    async def find_custom(self, tenant: str, batch_id: str, custom: str) -> int:
        """See `EntryStore.find_custom`."""
        return await self._file.read(lambda c: _find(c, tenant, batch_id, custom))

    async def count_entries(self, tenant: str, batch_id: str) -> EntryCounts:
        """See `EntryStore.count_entries`."""
        return await self._file.read(lambda c: _count(c, tenant, batch_id))

    async def rekey_entries(
        self, tenant: str, batch_id: str, start: int, keys: Sequence[int]
    ) -> None:
        """See `EntryStore.rekey_entries`."""
        await self._file.write(lambda t: _give(t, tenant, batch_id, start, "key", keys))

    async def relabel_entries(
        self, tenant: str, batch_id: str, start: int, labels: Sequence[str]
    ) -> None:
        """See `EntryStore.relabel_entries`."""
        await self._file.write(lambda t: _give(t, tenant, batch_id, start, "labels", labels))


def _range(connection: Connection, tenant: str, batch_id: str) -> tuple[int, int]:
    """Return the ids between which the entries of a batch are."""
    key = sqlite_batches.get(connection, tenant, batch_id).key
    return key << KEY_BITS, (key + 1) << KEY_BITS


def _at(connection: Connection, tenant: str, batch_id: str, indexes: Sequence[int]) -> list[Entry]:
    first, _ = _range(connection, tenant, batch_id)
    numbers = f"[{','.join([str(first + index) for index in indexes])}]"
    rows = connection.execute(
        "SELECT e.input_data, e.custom, e.domain, e.key, e.labels FROM json_each(?) AS j"
        " CROSS JOIN entry AS e ON e.id = j.value",
        (numbers,),
    )
    return [Entry(*row) for row in rows]


def _find(connection: Connection, tenant: str, batch_id: str, custom: str) -> int:
    row = connection.execute(
        "SELECT id & ? FROM entry WHERE id >= ? AND id < ? AND custom = ? ORDER BY id LIMIT 1",
        (_INDEX_MASK, *_range(connection, tenant, batch_id), custom),
    ).fetchone()
    if row is None:
        raise NotFound("entry", f"{batch_id}/custom")  # not the text: it may be an address
    return int(row[0])


def _count(connection: Connection, tenant: str, batch_id: str) -> EntryCounts:
    return counts_of(connection, sqlite_batches.get(connection, tenant, batch_id))


def _give(
    transaction: Transaction,
    tenant: str,
    batch_id: str,
    start: int,
    column: str,
    values: Sequence[int] | Sequence[str],
) -> None:
    batch = sqlite_batches.get(transaction.connection, tenant, batch_id)
    rules.require_draft(batch)
    first = (batch.key << KEY_BITS) + start
    transaction.altered.add(batch.key)
    transaction.connection.executemany(
        f"UPDATE entry SET {column} = ? WHERE id = ?",  # noqa: S608
        [(value, number) for number, value in enumerate(values, first)],
    )
