"""The part of the SQLite store that keeps and erases."""

import asyncio
from collections.abc import Callable

from mailvet.failpoints import reach
from mailvet.model.keeping import DataPolicy
from mailvet.store import sqlite_erase, sqlite_storage
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_writer import Transaction


class SqliteKeeping:
    """The part of a SQLite store that answers `Keeping`."""

    def __init__(
        self,
        file: OpenFile,
        clock: Callable[[], float],
        storage_limit_bytes: int,
        batch_limit: int,
    ) -> None:
        self.batch_limit = batch_limit
        """See `Keeping.batch_limit`."""
        self.storage_limit_bytes = storage_limit_bytes
        """See `Keeping.storage_limit_bytes`."""
        self._file = file
        self._clock = clock

    async def delete_batch(self, tenant: str, batch_id: str, *, force: bool, etag: str = "") -> int:
        """See `Store.delete_batch`."""
        entry_count = await self._file.rescue(
            lambda transaction: sqlite_erase.hide(
                transaction, tenant, batch_id, force=force, now=self._clock(), etag=etag
            )
        )
        reach("delete.hidden")
        # A caller that goes away does not stop it: what was asked for is gone from disk.
        await asyncio.shield(self._file.start(self._file.erase()))
        reach("delete.erased")
        return entry_count

    async def sweep(self) -> int:
        """See `Keeping.sweep`."""
        now = self._clock()
        if await self._file.read(lambda c: sqlite_storage.has_old_tombstones(c, now=now)):
            await self._file.write(
                lambda t: sqlite_storage.forget_tombstones(t.connection, now=now)
            )
        due = await self._file.read(lambda c: sqlite_storage.due(c, now=now))
        if not due:
            return 0

        hidden: list[int] = []

        async def chore() -> None:
            hidden.append(await self._file.rescue(lambda t: _hide_due(t, now)))
            await self._file.erase()

        # What is hidden is erased too, though the service ends meanwhile.
        await asyncio.shield(self._file.start(chore()))
        return hidden[0]

    async def stored_bytes(self, tenant: str) -> int:
        """See `Keeping.stored_bytes`."""
        return await self._file.read(lambda c: sqlite_storage.stored_bytes(c, tenant))

    async def count_batches(self, tenant: str) -> int:
        """See `Keeping.count_batches`."""
        return await self._file.read(lambda c: sqlite_storage.count_batches(c, tenant))

    async def get_data_policy(self, tenant: str) -> DataPolicy:
        """See `Keeping.get_data_policy`."""
        return await self._file.read(lambda c: sqlite_storage.get_policy(c, tenant))

    async def put_data_policy(self, tenant: str, policy: DataPolicy) -> DataPolicy:
        """See `Keeping.put_data_policy`."""
        await self._file.write(lambda t: sqlite_storage.put_policy(t.connection, tenant, policy))
        return policy


def _hide_due(transaction: Transaction, now: float) -> int:
    # Looked up again: one may have been deleted, or its retention made longer.
    due = sqlite_storage.due(transaction.connection, now=now)
    for tenant, batch_id in due:
        sqlite_erase.hide(transaction, tenant, batch_id, force=True, now=now)
    return len(due)
