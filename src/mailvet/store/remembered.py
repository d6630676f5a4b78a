"""What tenants have set, remembered by the process that owns the store: nobody else changes it.

Every call that verifies needs it, and a look into the file costs more than the rest of the answer.
"""

from collections.abc import Awaitable, Callable

from mailvet.model.ruling import TenantRules

MAX_TENANTS = 10_000
"""A few hundred bytes each, unless they have many rules."""


class RememberedRules:
    """The rules of tenants; `read` reads those of one from the store."""

    def __init__(self, read: Callable[[str], Awaitable[TenantRules]]) -> None:
        self._read = read
        self._known: dict[str, TenantRules] = {}
        self._changes = 0

    async def get(self, tenant: str) -> TenantRules:
        """Return the rules of a tenant."""
        known = self._known.get(tenant)
        if known is not None:
            return known
        before = self._changes
        rules = await self._read(tenant)
        if before == self._changes:  # or it may have been read before the change
            if len(self._known) >= MAX_TENANTS:
                self._known.clear()
            self._known[tenant] = rules
        return rules

    def changed(self, tenant: str) -> None:
        """Forget the rules of a tenant: to be called once new ones are committed."""
        self._changes += 1
        self._known.pop(tenant, None)
