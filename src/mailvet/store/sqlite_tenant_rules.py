"""The part of the SQLite store that keeps what tenants decide themselves."""

from collections.abc import Callable

from mailvet.model.ruling import TenantRules
from mailvet.store import sqlite_rules
from mailvet.store.remembered import RememberedRules
from mailvet.store.sqlite_open import OpenFile


class SqliteTenantRules:
    """Rules of tenants: read from the file once, then from memory."""

    _file: OpenFile
    _clock: Callable[[], float]
    _remembered: RememberedRules

    async def get_rules(self, tenant: str) -> TenantRules:
        """See `Store.get_rules`."""
        return await self._remembered.get(tenant)

    async def put_rules(
        self, tenant: str, rules: TenantRules, *, over: int | None = None
    ) -> TenantRules:
        """See `Store.put_rules`."""
        kept = await self._file.write(
            lambda t: sqlite_rules.put(t.connection, tenant, rules, over=over, now=self._clock())
        )
        self._remembered.changed(tenant)
        return kept
