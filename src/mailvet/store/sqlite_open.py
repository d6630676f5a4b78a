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
    sqlite_results,
    sqlite_schema,
    sqlite_work,
)
from mailvet.store.changes import Changes
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_readers import Readers
from mailvet.store.sqlite_writer import Transaction, Writer

T = TypeVar("T")

ERASE_PATIENCE_S = 60.0
"""How long a delete waits for reads that began before it; a plan of a huge batch takes seconds."""

ERASE_PAUSE_S = 0.01
"""Between two looks whether such a read has ended."""


class OpenFile:
    """One store file, open in this process and in no other."""

    def __init__(self, path: Path, lock: int, connection: Connection) -> None:
        self._lock = lock
        self._connection = connection
        self.epoch, self.secret = sqlite_keys.identity(connection)
        self.changes = Changes()
        self._writer = Writer(connection, self.changes)
        self._readers = Readers(path)
        self._chores: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, path: Path) -> "OpenFile":
        """Lock and open a file, or raise `StoreRefused`; what a dead process left is put right."""
        opened = cls(path, *await asyncio.to_thread(_open, path))
        opened.start(opened.place(await opened.read(sqlite_results.to_place)))
        return opened

    async def write(self, operation: Callable[[Transaction], T]) -> T:
        """Run an operation in the writer; see `Writer.write`."""
        return await self._writer.write(operation)

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
        while await self.write(
            lambda transaction: sqlite_erase.erase_slice(transaction.connection)
        ):
            pass
        deadline = time.monotonic() + ERASE_PATIENCE_S
        while not await self._writer.write(
            lambda transaction: sqlite_erase.truncate_log(transaction.connection), alone=True
        ):
            if time.monotonic() > deadline:
                raise Unavailable("a long read holds the write-ahead log; delete is not finished")
            await asyncio.sleep(ERASE_PAUSE_S)

    async def close(self) -> None:
        """Finish what was queued and let go of the file; calling it again does nothing."""
        if self._lock < 0:
            return
        lock, self._lock = self._lock, -1
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._readers.close()
        await self._writer.close()
        await asyncio.to_thread(self._connection.close)  # the last one folds the log into the file
        os.close(lock)


def _open(path: Path) -> tuple[int, Connection]:
    lock = sqlite_file.lock(path)
    try:
        connection = sqlite_file.connect_writer(path)
        try:
            sqlite_schema.migrate(connection, str(path))
            sqlite_work.release_all(connection)
            sqlite_keys.forget_hindrances(connection)
            sqlite_erase.finish(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite_file.driver.Error as error:
        os.close(lock)
        raise sqlite_file.refusal(path, error) from error
    except BaseException:
        os.close(lock)
        raise
    return lock, connection
