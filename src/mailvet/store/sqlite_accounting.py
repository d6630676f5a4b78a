"""The part of the SQLite store that keeps usage and balances."""

from collections.abc import Callable, Sequence

from mailvet.model.usage import Balance, Charge, DayUsage, day_of
from mailvet.store import sqlite_ledger
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_writer import Transaction


class SqliteAccounting:
    """The part of a SQLite store that answers `Accounting`."""

    _file: OpenFile
    _clock: Callable[[], float]

    async def get_balance(self, tenant: str) -> Balance:
        """See `Accounting.get_balance`."""
        day = day_of(self._clock())
        return await self._file.read(lambda c: sqlite_ledger.balance(c, tenant, day=day))

    async def set_balance(
        self,
        tenant: str,
        *,
        limited: bool | None = None,
        add_halves: int = 0,
        daily_free_halves: int | None = None,
    ) -> Balance:
        """See `Accounting.set_balance`."""

        def operation(transaction: Transaction) -> Balance:
            connection = transaction.connection
            sqlite_ledger.set_balance(
                connection,
                tenant,
                limited=limited,
                add_halves=add_halves,
                daily_free_halves=daily_free_halves,
            )
            return sqlite_ledger.balance(connection, tenant, day=day_of(self._clock()))

        return await self._file.write(operation)

    async def reserve(self, tenant: str, halves: int) -> bool:
        """See `Accounting.reserve`."""
        # Most are not limited, and need no commit: nor a disk that has room.
        if not await self._file.read(lambda c: sqlite_ledger.is_limited(c, tenant)):
            return False
        return await self._file.write(
            lambda t: sqlite_ledger.reserve_for_call(
                t.connection, tenant, halves, now=self._clock()
            )
        )

    async def charge(self, charges: Sequence[Charge]) -> None:
        """See `Accounting.charge`."""

        def operation(transaction: Transaction) -> None:
            for one in charges:
                sqlite_ledger.charge(transaction.connection, one)

        await self._file.write(operation)

    async def daily_usage(
        self, tenant: str, first_day: int, last_day: int, *, limit: int
    ) -> list[DayUsage]:
        """See `Accounting.daily_usage`."""
        return await self._file.read(
            lambda c: sqlite_ledger.days(c, tenant, first_day, last_day, limit=limit)
        )
