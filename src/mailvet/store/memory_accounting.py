"""What a memory store knows of usage: the same ledger and balances, in plain Python."""

from collections.abc import Callable, Sequence

from mailvet.model.batch import Batch
from mailvet.model.usage import NO_USAGE, Balance, Charge, DayUsage, day_of, price_halves
from mailvet.store.accounting import free_left, from_pack, require_available
from mailvet.store.memory_keeping import Kept


class MemoryAccounting:
    """The part of a memory store that answers `Accounting`."""

    _kept: dict[tuple[str, str], Kept]
    _clock: Callable[[], float]

    def __init__(self) -> None:
        self._terms: dict[str, Balance] = {}
        """Without what changes by itself: free units left, and reservations of batches."""
        self._days: dict[tuple[str, int], DayUsage] = {}

    def _balance(self, tenant: str, day: int) -> Balance:
        terms = self._terms.get(tenant)
        if terms is None:
            return Balance()
        today = self._days.get((tenant, day), DayUsage(day, NO_USAGE))
        mine = [kept for (owner, _), kept in self._kept.items() if owner == tenant]
        return terms._replace(
            free_left_halves=free_left(terms.daily_free_halves, today.usage, today.pack_halves),
            reserved_halves=terms.reserved_halves + sum(kept.reserved_halves for kept in mine),
        )

    async def get_balance(self, tenant: str) -> Balance:
        """See `Accounting.get_balance`."""
        return self._balance(tenant, day_of(self._clock()))

    async def set_balance(
        self,
        tenant: str,
        *,
        limited: bool | None = None,
        add_halves: int = 0,
        daily_free_halves: int | None = None,
    ) -> Balance:
        """See `Accounting.set_balance`."""
        terms = self._terms.get(tenant, Balance())
        if limited is not None:
            terms = terms._replace(limited=limited)
        if daily_free_halves is not None:
            terms = terms._replace(daily_free_halves=daily_free_halves)
        self._terms[tenant] = terms._replace(pack_halves=terms.pack_halves + add_halves)
        return await self.get_balance(tenant)

    async def reserve(self, tenant: str, halves: int) -> bool:
        """See `Accounting.reserve`."""
        balance = await self.get_balance(tenant)
        if not balance.limited:
            return False
        require_available(balance, halves)
        self._hold(tenant, halves)
        return True

    def _hold(self, tenant: str, halves: int) -> None:
        terms = self._terms[tenant]
        held = max(0, terms.reserved_halves + halves)
        self._terms[tenant] = terms._replace(reserved_halves=held)

    async def charge(self, charges: Sequence[Charge]) -> None:
        """See `Accounting.charge`."""
        for one in charges:
            self._charge(one)

    def _charge(self, one: Charge) -> None:
        balance = self._balance(one.tenant, one.day)
        pack = from_pack(balance, one.usage.halves)
        if balance.limited:
            terms = self._terms[one.tenant]
            self._terms[one.tenant] = terms._replace(pack_halves=terms.pack_halves - pack)
            self._hold(one.tenant, -one.release_halves)
        if one.usage == NO_USAGE:
            return
        kept = self._days.get((one.tenant, one.day), DayUsage(one.day, NO_USAGE))
        self._days[one.tenant, one.day] = DayUsage(
            one.day, kept.usage.plus(one.usage), kept.pack_halves + pack
        )

    def _reserve_for_batch(self, batch: Batch, unique: int) -> int:
        """Return what a batch may cost at most, or raise `InsufficientBalance`."""
        balance = self._balance(batch.tenant, day_of(self._clock()))
        if not balance.limited:
            return 0
        halves = unique * price_halves(batch.spec.quality)
        require_available(balance, halves)
        return halves

    async def daily_usage(
        self, tenant: str, first_day: int, last_day: int, *, limit: int
    ) -> list[DayUsage]:
        """See `Accounting.daily_usage`."""
        found = [
            line
            for (owner, day), line in self._days.items()
            if owner == tenant and first_day <= day <= last_day
        ]
        return sorted(found)[:limit]
