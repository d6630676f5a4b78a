"""The part of the store contract about usage and budget: a ledger by day, and a balance.

Charges of batches are part of the settlement that brings the results: an entry is charged when and
only when its result is kept, whatever is retried, comes late or crashes. A limited tenant's launch
reserves the most that the batch can cost, and every result gives its share back, so that work that
was begun never runs out of units. Free units of the day are spent before the pack.
"""

from collections.abc import Sequence
from typing import Protocol

from mailvet.errors import InsufficientBalance
from mailvet.model.usage import Balance, Charge, DayUsage, Usage


class Accounting(Protocol):
    """What the rooms above may ask of a store about usage."""

    async def get_balance(self, tenant: str) -> Balance:
        """Return what a tenant may spend now; unlimited when nothing was ever set."""
        ...

    async def set_balance(
        self,
        tenant: str,
        *,
        limited: bool | None = None,
        add_halves: int = 0,
        daily_free_halves: int | None = None,
    ) -> Balance:
        """Change what a tenant may spend, and return it; None leaves a term as it is.

        A batch that runs already runs on, reserved for or not.
        """
        ...

    async def reserve(self, tenant: str, halves: int) -> bool:
        """Promise units to a call; False, and nothing promised, when the tenant is not limited.

        Raises `InsufficientBalance`. The promise ends with the `Charge` that gives it back, or
        with the process.
        """
        ...

    async def charge(self, charges: Sequence[Charge]) -> None:
        """Write charges into the ledger, all in one transaction."""
        ...

    async def daily_usage(
        self, tenant: str, first_day: int, last_day: int, *, limit: int
    ) -> list[DayUsage]:
        """Return the days of a range with any usage, the earliest first."""
        ...


def require_available(balance: Balance, halves: int) -> None:
    """Raise `InsufficientBalance` when a limited tenant cannot be promised so much."""
    if balance.limited and halves > balance.available_halves:
        raise InsufficientBalance(halves, max(0, balance.available_halves))


def from_pack(balance: Balance, halves: int) -> int:
    """Return what of a charge the pack pays: all beyond the free units of its day."""
    return max(0, halves - balance.free_left_halves) if balance.limited else 0


def free_left(daily_free_halves: int, today: Usage, pack_halves: int) -> int:
    """Return what is left of a day's free units; what the pack paid did not use any up."""
    return max(0, daily_free_halves - (today.halves - pack_halves))
