"""An open store file: its lock, writer, readers, and the chores that run beside the callers."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from mailvet.errors import Unavailable
from mailvet.store import (
    sqlite_erase,
    sqlite_file,
    sqlite_keys,
    sqlite_ledger,
    sqlite_results,
    sqlite_schema,
    sqlite_space,
    sqlite_work,
)
from mailvet.store.changes import Changes
from mailvet.store.fresh import Fresh
from mailvet.store.hindrances import DISK_FULL, STORE_LOCKED, Hindrances
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_readers import Readers
from mailvet.store.sqlite_writer import Transaction, Writer

T = TypeVar("T")

ERASE_PATIENCE_S = 60.0
"""How long a delete waits for reads that began before it; a plan of a huge batch takes seconds."""

ERASE_PAUSE_S = 0.01
"""Between two looks whether such a read has ended."""

RECHECK_S = 1.0
"""How soon it is seen that the disk has space again or a foreign lock is gone."""


class OpenFile:
    """One store file, open in this process and in no other."""

    def __init__(
        self, path: Path, lock: int, connection: Connection, space: sqlite_space.Space
    ) -> None:
        self._lock = lock
        self._connection = connection
        self.epoch, self.secret = sqlite_keys.identity(connection)
        self.changes = Changes()
        self.fresh = Fresh()
        self.hindrances = Hindrances()
        self._space = space
        self._recovery: asyncio.Task[None] | None = None
        self._writer = Writer(connection, self.changes, self.fresh)
        self._readers = Readers(path)
        self._chores: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, path: Path, *, reserve_bytes: int) -> "OpenFile":
        """Lock and open a file, or raise `StoreRefused`; what a dead process left is put right."""
        space = sqlite_space.Space(path, reserve_bytes)
        opened = cls(path, *await asyncio.to_thread(_open, path, space), space)
        if not await asyncio.to_thread(opened._space.take):
            opened._hinder(sqlite_file.disk_full())
        opened.start(opened.place(await opened.read(sqlite_results.to_place)))
        return opened

    async def write(self, operation: Callable[[Transaction], T]) -> T:
        """Run an operation in the writer; see `Writer.write`.

        Raises `Unavailable` at once while the disk is full: what little there is, is for deletes.
        """
        if DISK_FULL in self.hindrances:
            raise sqlite_file.disk_full()
        return await self._write(operation)

    async def _write(self, operation: Callable[[Transaction], T], *, alone: bool = False) -> T:
        try:
            return await self._writer.write(operation, alone=alone)
        except Unavailable as refusal:
            self._hinder(refusal)
            raise

    async def rescue(self, operation: Callable[[Transaction], T]) -> T:
        """As `write`, for what frees space: on a full disk the reserve is given up for it."""
        try:
            return await self._write(operation)
        except Unavailable as refusal:
            if refusal.hindrance != DISK_FULL:
                raise
        await asyncio.to_thread(self._space.give_up)
        await self._truncate_log()
        return await self._write(operation)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query in one snapshot; see `Readers.read`."""
        return await self._readers.read(query)

    def start(self, chore: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a chore beside the callers; closing waits for it."""
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    async def place(self, keys: Iterable[int]) -> None:
        """Build the index by entry of batches that ended, as far as they are large."""
        with contextlib.suppress(Unavailable):  # until there is one, the results are looked through
            for key in keys:
                await self._place(key)

    async def _place(self, key: int) -> None:
        sequences = await self.read(lambda connection: sqlite_results.places(connection, key))
        if sequences:
            await self.write(lambda transaction: sqlite_results.place(transaction, key, sequences))

    async def erase(self) -> None:
        """Erase what is hidden, from the tables and from the log."""
        while await self.rescue(self._erase_slice):
            if DISK_FULL in self.hindrances:
                await self._truncate_log()  # the reserve is smaller than the log may grow
        await self._empty_log()
        if DISK_FULL in self.hindrances:
            await self._shrink()
            await self._recover_disk()

    def _erase_slice(self, transaction: Transaction) -> bool:
        tight = DISK_FULL in self.hindrances
        rows = sqlite_erase.TIGHT_ROWS if tight else sqlite_erase.SLICE_ROWS
        return sqlite_erase.erase_slice(transaction.connection, rows)

    async def _empty_log(self) -> None:
        deadline = time.monotonic() + ERASE_PATIENCE_S
        while not await self._truncate_log():
            if time.monotonic() > deadline:
                raise Unavailable("a long read holds the write-ahead log; delete is not finished")
            await asyncio.sleep(ERASE_PAUSE_S)

    async def _truncate_log(self) -> bool:
        return await self._write(
            lambda transaction: sqlite_erase.truncate_log(transaction.connection), alone=True
        )

    async def _shrink(self) -> None:
        """Give the pages that were erased back to the disk."""
        while await self.rescue(lambda transaction: sqlite_erase.shrink(transaction.connection)):
            await self._truncate_log()
        await self._empty_log()

    def _hinder(self, refusal: Unavailable) -> None:
        """Say what holds up all work, and see to it that it is taken back."""
        if not refusal.hindrance:
            return
        self.hindrances.note(refusal.hindrance, str(refusal))
        if self._recovery is None:
            self._recovery = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        while DISK_FULL in self.hindrances or STORE_LOCKED in self.hindrances:
            await asyncio.sleep(RECHECK_S)
            await self._recover_disk()
            await self._recover_lock()
        self._recovery = None
        self.start(self.erase())  # a delete that was refused half-way

    async def _recover_disk(self) -> None:
        if DISK_FULL in self.hindrances and await asyncio.to_thread(self._space.take):
            self.hindrances.note(DISK_FULL, None)

    async def _recover_lock(self) -> None:
        if STORE_LOCKED in self.hindrances:
            with contextlib.suppress(Unavailable):
                await self._writer.write(lambda _: None)  # takes the lock for a moment
                self.hindrances.note(STORE_LOCKED, None)

    async def close(self) -> None:
        """Finish what was queued and let go of the file; calling it again does nothing."""
        if self._lock < 0:
            return
        lock, self._lock = self._lock, -1
        if self._recovery is not None:
            self._recovery.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._readers.close()
        await self._writer.close()
        await asyncio.to_thread(self._connection.close)  # the last one folds the log into the file
        if DISK_FULL not in self.hindrances:
            self._space.give_up()
        os.close(lock)


def _open(path: Path, space: sqlite_space.Space) -> tuple[int, Connection]:
    lock = sqlite_file.lock(path)
    try:
        try:
            connection = _connected(path)
        except sqlite_file.driver.Error as error:
            if not sqlite_file.is_full(error):
                raise
            space.give_up()  # or nothing could ever be deleted
            connection = _connected(path)
    except sqlite_file.driver.Error as error:
        os.close(lock)
        raise sqlite_file.refusal(path, error) from error
    except BaseException:
        os.close(lock)
        raise
    return lock, connection


def _connected(path: Path) -> Connection:
    connection = sqlite_file.connect_writer(path)
    try:
        sqlite_schema.migrate(connection, str(path))
        sqlite_work.release_all(connection)
        sqlite_ledger.end_holds(connection)
        sqlite_erase.finish(connection)
    except BaseException:
        connection.close()
        raise
    return connection
