"""GetBalance, ListDailyUsage and EstimateCost: what a tenant used and may spend, in units."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from mailvet.accounts.metering import Meter
from mailvet.batches.cursor import Kind, Marks, binding_of
from mailvet.batches.cursor import Place as Mark
from mailvet.errors import Violations
from mailvet.model.status import QualityLevel
from mailvet.model.usage import HALVES, Balance, DayUsage, day_of, price_halves
from mailvet.rpc import rules
from mailvet.store.base import Store
from mailvet.v1 import usage_pb2 as pb

DEFAULT_DAYS = 30
"""Before the last day: a month is what bills are about."""

_EPOCH = date(1970, 1, 1)


class UsageBook:
    """Answers what callers ask about usage; `wall_clock` tells which day it is."""

    def __init__(
        self, store: Store, marks: Marks, meter: Meter, wall_clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._meter = meter
        self._marks = marks
        self._wall_clock = wall_clock

    async def balance(self, tenant: str) -> pb.Balance:
        """Return what a tenant may spend."""
        return _balance(await self._store.get_balance(tenant))

    async def days(
        self, tenant: str, request: pb.ListDailyUsageRequest
    ) -> pb.ListDailyUsageResponse:
        """Return a page of a tenant's ledger; raises `BadPageToken`.

        Calls that have just ended are in it.
        """
        wrong = Violations()
        page_size = rules.page_size(request.page_size, wrong)
        last = _day(request.last_date, "last_date", day_of(self._wall_clock()), wrong)
        first = _day(request.first_date, "first_date", max(0, last - DEFAULT_DAYS), wrong)
        if first > last:
            wrong.add("first_date", "it is after last_date; give the earlier day first")
        wrong.raise_if_any()
        binding = binding_of(tenant, request.first_date, request.last_date)
        if request.page_token:
            first = self._marks.read(request.page_token, Kind.USAGE_PAGE, 0, binding)
        await self._meter.flush()
        found = await self._store.daily_usage(tenant, first, last, limit=page_size + 1)
        token = ""
        if len(found) > page_size:
            token = self._marks.write(Mark(Kind.USAGE_PAGE, 0, found[page_size].day, binding))
        return pb.ListDailyUsageResponse(days=map(_line, found[:page_size]), next_page_token=token)

    async def estimate(
        self, tenant: str, request: pb.EstimateCostRequest
    ) -> pb.EstimateCostResponse:
        """Return what a batch or so many entries would cost at most; raises `NotFound`."""
        wrong = Violations()
        quality = rules.number(request.quality, "quality", QualityLevel, wrong)
        if request.entry_count < 0:
            wrong.add("entry_count", f"{request.entry_count} is negative; use 0 or more")
        if request.batch_id and request.entry_count:
            wrong.add("entry_count", "it goes with no batch_id; send one of them")
        wrong.raise_if_any()
        count = request.entry_count
        if request.batch_id:
            batch = await self._store.get_batch(tenant, request.batch_id)
            quality = quality or batch.spec.quality
            count = (await self._store.count_entries(tenant, request.batch_id)).unique
        halves = count * price_halves(QualityLevel(quality or QualityLevel.STANDARD))
        balance = await self._store.get_balance(tenant)
        missing = max(0, halves - balance.available_halves) if balance.limited else 0
        return pb.EstimateCostResponse(
            max_units=halves / HALVES,
            billable_count=count,
            affordable=not missing,
            missing_units=missing / HALVES,
        )


def _balance(balance: Balance) -> pb.Balance:
    return pb.Balance(
        limited=balance.limited,
        available_units=balance.available_halves / HALVES,
        pack_units=balance.pack_halves / HALVES,
        daily_free_units=balance.daily_free_halves / HALVES,
        free_units_left=balance.free_left_halves / HALVES,
        reserved_units=balance.reserved_halves / HALVES,
    )


def _line(line: DayUsage) -> pb.DailyUsage:
    usage = line.usage
    return pb.DailyUsage(
        date=(_EPOCH + timedelta(days=line.day)).isoformat(),
        verified_count=usage.verified,
        cached_count=usage.cached,
        free_count=usage.free,
        unanswered_count=usage.unanswered,
        units=usage.halves / HALVES,
        pack_units=line.pack_halves / HALVES,
    )


def _day(text: str, path: str, default: int, wrong: Violations) -> int:
    """Return a date as days since the epoch."""
    if not text:
        return default
    try:
        # Only this one of ISO 8601's spellings: `20261130` and week dates are for machines.
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        wrong.add(path, "it is no date; write it as 2026-11-30")
        return default
    if day < _EPOCH:
        wrong.add(path, "it is before 1970; nothing was used then")
    return (day - _EPOCH).days
