"""What verifications cost, counted in halves of a unit, and what a tenant may spend.

Half a unit is the smallest price there is (an answer from memory at STANDARD), so every sum is of
whole numbers.
"""

from collections.abc import Iterable
from operator import add
from typing import NamedTuple

from mailvet.model.quality import COST_UNITS
from mailvet.model.status import EntryStatus, QualityLevel

HALVES = 2
"""Halves in a unit."""

DAY_S = 86_400
"""Of a ledger: days of UTC, so that no clock change makes one longer."""

NOT_VERIFIED = frozenset(
    {
        *range(EntryStatus.AT_SIGN_NOT_FOUND, EntryStatus.ISP_SPECIFIC_SYNTAX_FAILURE + 1),
        EntryStatus.DUPLICATE,
    }
)
"""Answers that `EntryCounts` foresees as costing nothing: no address, or that of another entry."""

FREE = NOT_VERIFIED | {
    EntryStatus.OVERRIDE_MATCH,
    EntryStatus.DOMAIN_OPTED_OUT,
    EntryStatus.UNKNOWN_USER_LIMIT,
}
"""Answers for which nobody was asked: those, what the caller's own rule decided, and what is not
asked on purpose."""

OURS = frozenset(
    {
        EntryStatus.LOCAL_END_POINT_REJECTED,
        EntryStatus.LOCAL_SENDER_ADDRESS_REJECTED,
        EntryStatus.LOCAL_EGRESS_UNAVAILABLE,
        EntryStatus.UNHANDLED_EXCEPTION,
    }
)
"""Nothing was learnt, and it lies with us: they cost nothing."""


class Usage(NamedTuple):
    """What was verified; the first four count entries and add up to all of them."""

    verified: int = 0
    """At the full price."""
    cached: int = 0
    """Answered from memory, at half of it."""
    free: int = 0
    """Not verified: no addresses, duplicates, decided by the caller's own rules."""
    unanswered: int = 0
    """For a fault of ours, at no cost."""
    halves: int = 0
    """What it cost, in halves of a unit."""

    def plus(self, other: "Usage") -> "Usage":
        """Return both together."""
        if not any(other):
            return self
        return Usage(*map(add, self, other))


NO_USAGE = Usage()


class DayUsage(NamedTuple):
    """A line of a tenant's ledger."""

    day: int
    """Days since the epoch, UTC."""
    usage: Usage
    pack_halves: int = 0
    """What of the cost was taken from the pack; the rest was free, or the tenant unlimited."""


class Balance(NamedTuple):
    """What a tenant may spend, in halves of a unit; nothing counts while it is not limited."""

    limited: bool = False
    pack_halves: int = 0
    """Bought units that are left. Below 0 when an operator took away what was promised already."""
    daily_free_halves: int = 0
    """Free of charge every day."""
    free_left_halves: int = 0
    """What of them is left today."""
    reserved_halves: int = 0
    """Promised to batches and calls under way."""

    @property
    def available_halves(self) -> int:
        """What may still be promised."""
        return self.pack_halves + self.free_left_halves - self.reserved_halves


class Charge(NamedTuple):
    """What one tenant is charged for one day."""

    tenant: str
    day: int
    usage: Usage
    release_halves: int = 0
    """What was reserved for it and is given back now."""


def day_of(now: float) -> int:
    """Return the day of a moment, in seconds since the epoch."""
    return int(now // DAY_S)


def shown_units(halves: int) -> str:
    """Return halves in units, as people write them: `12` or `12.5`."""
    sign = "-" if halves < 0 else ""
    return f"{sign}{abs(halves) // HALVES}{'.5' if halves % HALVES else ''}"


def price_halves(quality: QualityLevel) -> int:
    """Return what an entry costs that is verified at a quality level."""
    return HALVES * COST_UNITS[quality]


def usage_of(
    statuses: Iterable[tuple[int, int]], quality: QualityLevel, cached: Iterable[int] = ()
) -> Usage:
    """Return what answers cost: so many of each status, and the statuses of those from memory.

    `cached` names again what `statuses` has counted already.
    """
    free = unanswered = answered = 0
    for status, count in statuses:
        if status in FREE:
            free += count
        elif status in OURS:
            unanswered += count
        else:
            answered += count
    from_memory = sum(1 for status in cached if status not in FREE and status not in OURS)
    verified = answered - from_memory
    halves = COST_UNITS[quality] * (HALVES * verified + from_memory)
    return Usage(verified, from_memory, free, unanswered, halves)


def foreseen_halves(statuses: Iterable[tuple[int, int]], quality: QualityLevel) -> int:
    """Return what was foreseen for answers when their batch was launched, as `EntryCounts` has it.

    Every entry that was to be verified counts in full, however it was answered.
    """
    foreseen = sum(count for status, count in statuses if status not in NOT_VERIFIED)
    return foreseen * price_halves(quality)
