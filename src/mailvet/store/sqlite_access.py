"""The part of the SQLite store that keeps who may come in, and what they did."""

from collections.abc import Callable, Mapping, Sequence

from mailvet.model.access import ApiKey
from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow
from mailvet.store import sqlite_audit, sqlite_keys
from mailvet.store.sqlite_open import OpenFile


class SqliteKeys:
    """The part of the SQLite store that answers `KeyStore`."""

    _file: OpenFile
    _clock: Callable[[], float]

    async def add_key(self, key: ApiKey) -> None:
        """See `KeyStore.add_key`."""
        await self._file.write(lambda t: sqlite_keys.add(t.connection, key))

    async def find_key(self, key_id: str) -> ApiKey | None:
        """See `KeyStore.find_key`."""
        return await self._file.read(lambda connection: sqlite_keys.find(connection, key_id))

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        """See `KeyStore.list_keys`."""
        return await self._file.read(lambda connection: sqlite_keys.listed(connection, tenant))

    async def revoke_key(self, key_id: str) -> bool:
        """See `KeyStore.revoke_key`."""
        now = self._clock()
        return await self._file.write(lambda t: sqlite_keys.revoke(t.connection, key_id, now=now))

    async def rotate_key(self, key_id: str, new: ApiKey, expire_time: float) -> bool:
        """See `KeyStore.rotate_key`."""
        return await self._file.write(
            lambda t: sqlite_keys.rotate(t.connection, key_id, new, expire_time)
        )

    async def note_key_uses(self, uses: Mapping[str, float]) -> None:
        """See `KeyStore.note_key_uses`."""
        await self._file.write(lambda t: sqlite_keys.note_uses(t.connection, uses))

    async def begin_totp(self, key_id: str, secret: str) -> bool:
        """See `KeyStore.begin_totp`."""
        return await self._file.write(
            lambda t: sqlite_keys.begin_totp(t.connection, key_id, secret)
        )

    async def accept_totp(self, key_id: str, step: int) -> bool:
        """See `KeyStore.accept_totp`."""
        now = self._clock()
        return await self._file.write(
            lambda t: sqlite_keys.accept_totp(t.connection, key_id, step, now=now)
        )


class SqliteAudit:
    """The part of the SQLite store that answers `AuditStore`."""

    _file: OpenFile

    async def add_audit(self, events: Sequence[AuditEvent]) -> None:
        """See `AuditStore.add_audit`."""
        await self._file.write(lambda t: sqlite_audit.add(t.connection, events))

    async def list_audit(
        self, where: AuditFilter, *, before: int | None = None, limit: int
    ) -> list[AuditRow]:
        """See `AuditStore.list_audit`."""
        return await self._file.read(lambda c: sqlite_audit.listed(c, where, before, limit))

    async def sweep_audit(self, before_time: float) -> int:
        """See `AuditStore.sweep_audit`."""
        return await self._file.write(lambda t: sqlite_audit.sweep(t.connection, before_time))
