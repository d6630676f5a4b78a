"""The part of the SQLite store about callbacks: columns of the batch, which erase with it."""

from collections.abc import Callable

from mailvet.model.batch import Batch
from mailvet.model.callback import CallbackCalls
from mailvet.store.callback_texts import callback_text, calls_text
from mailvet.store.sqlite_batches import COLUMNS, batch_from
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_writer import Transaction


class SqliteCallbacks:
    """The part of a SQLite store that answers `CallbackStore`."""

    _file: OpenFile
    _clock: Callable[[], float]

    async def due_callbacks(self, *, limit: int) -> list[Batch]:
        """See `CallbackStore.due_callbacks`."""
        now = self._clock()
        return await self._file.read(lambda connection: _due(connection, now, limit))

    async def note_calls(self, batch: Batch, calls: CallbackCalls) -> bool:
        """See `CallbackStore.note_calls`."""
        return await self._file.write(lambda transaction: _note(transaction, batch, calls))


def _due(connection: Connection, now: float, limit: int) -> list[Batch]:
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM batch WHERE callback_at <= ?"  # noqa: S608
        " ORDER BY callback_at LIMIT ?",
        (now, limit),
    )
    return [batch_from(row) for row in rows]


def _note(transaction: Transaction, batch: Batch, calls: CallbackCalls) -> bool:
    changed = transaction.connection.execute(
        "UPDATE batch SET callback_calls = ?, callback_at = ?"
        " WHERE key = ? AND callback = ? AND callback_calls = ?",
        (
            calls_text(calls),
            calls.next_time,
            batch.key,
            callback_text(batch.spec.callback),
            calls_text(batch.calls),
        ),
    ).rowcount
    transaction.touched.add(batch.key)
    return changed == 1
