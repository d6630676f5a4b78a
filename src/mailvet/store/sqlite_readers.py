"""A few connections that only read, each call in one snapshot, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mailvet.errors import Unavailable
from mailvet.store.sqlite_file import Connection, connect_reader, driver, translated

T = TypeVar("T")

READERS = 3
"""A plan of a large batch may keep one busy for seconds; the others go on. More would only
contend for the interpreter lock."""


class Readers:
    """Runs read-only functions, each with a connection of its own for that long."""

    def __init__(self, path: Path) -> None:
        self._connections = [connect_reader(path) for _ in range(READERS)]
        self._idle = list(self._connections)
        """The one that read last is last and reads next: its cache has what is asked for."""
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="mailvet-store-reader")

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return what `query` finds; everything it reads is of one moment."""
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._threads, self._snapshot, query)
        except RuntimeError as error:
            raise Unavailable("the store is closed") from error
        return await running

    async def close(self) -> None:
        """Let reads that began end, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _snapshot(self, query: Callable[[Connection], T]) -> T:
        connection = self._idle.pop()
        try:
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("ROLLBACK")
        except driver.Error as error:
            raise translated(error) from error
        finally:
            self._idle.append(connection)
