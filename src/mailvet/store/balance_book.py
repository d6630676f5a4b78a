"""The balances of a store whose server is running, through the key ring's second connection."""

import time

from mailvet.model.usage import Balance, day_of
from mailvet.store import sqlite_ledger
from mailvet.store.keyring import KeyRing
from mailvet.store.sqlite_file import Connection


class BalanceBook(KeyRing):
    """Reads and changes what tenants may spend beside a running server."""

    async def get_balance(self, tenant: str) -> Balance:
        """See `Accounting.get_balance`."""
        return await self._run(lambda c: sqlite_ledger.balance(c, tenant, day=day_of(time.time())))

    async def set_balance(
        self,
        tenant: str,
        *,
        limited: bool | None = None,
        add_halves: int = 0,
        daily_free_halves: int | None = None,
    ) -> Balance:
        """See `Accounting.set_balance`."""

        def work(connection: Connection) -> Balance:
            sqlite_ledger.set_balance(
                connection,
                tenant,
                limited=limited,
                add_halves=add_halves,
                daily_free_halves=daily_free_halves,
            )
            return sqlite_ledger.balance(connection, tenant, day=day_of(time.time()))

        return await self._run(work)
