"""The keys and the audit log of a store whose server is running, over a second connection.

It writes one row at a time, and never checkpoints (the server's connection does); its transactions
wait their turn for the write lock like any other writer's.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mailvet.errors import Unavailable
from mailvet.model.access import ApiKey
from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow
from mailvet.store import sqlite_audit, sqlite_file, sqlite_keys

T = TypeVar("T")


class KeyRing:
    """Adds, lists and revokes keys beside a running server."""

    def __init__(self, path: Path) -> None:
        """Open the file; it must be a store that a server has made."""
        self._connection = sqlite_file.connect_beside(path)
        _, self.secret = sqlite_keys.identity(self._connection)

    async def add_key(self, key: ApiKey) -> None:
        """See `Store.add_key`."""
        await self._run(lambda connection: sqlite_keys.add(connection, key))

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        """See `Store.list_keys`."""
        return await self._run(lambda connection: sqlite_keys.listed(connection, tenant))

    async def revoke_key(self, key_id: str) -> bool:
        """See `Store.revoke_key`."""
        now = time.time()
        return await self._run(lambda connection: sqlite_keys.revoke(connection, key_id, now=now))

    async def find_key(self, key_id: str) -> ApiKey | None:
        """See `Store.find_key`."""
        return await self._run(lambda connection: sqlite_keys.find(connection, key_id))

    async def rotate_key(self, key_id: str, new: ApiKey, expire_time: float) -> bool:
        """See `Store.rotate_key`."""
        return await self._run(lambda c: sqlite_keys.rotate(c, key_id, new, expire_time))

    async def add_audit(self, events: Sequence[AuditEvent]) -> None:
        """See `Store.add_audit`."""
        await self._run(lambda connection: sqlite_audit.add(connection, events))

    async def list_audit(
        self, where: AuditFilter, *, before: int | None = None, limit: int
    ) -> list[AuditRow]:
        """See `Store.list_audit`."""
        return await self._run(lambda c: sqlite_audit.listed(c, where, before, limit))

    async def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    async def _run(self, work: Callable[[Any], T]) -> T:
        return await asyncio.to_thread(self._transact, work)

    def _transact(self, work: Callable[[Any], T]) -> T:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                return work(self._connection)
        except sqlite_file.driver.OperationalError as error:
            raise Unavailable(f"the store cannot be written now: {error}") from error
