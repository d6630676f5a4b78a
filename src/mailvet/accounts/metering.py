"""What calls that verify at once are charged, without a commit for each of millions.

A batch is charged where its results are kept. A call keeps nothing, so its charge is all there is
to write. Of a tenant without a limit it is collected, by day, and written with others within a
second: a crash loses a second of such charges, to the tenant's advantage. Of a limited tenant the
most it can cost is reserved before, and the charge is written before the answer goes out.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import NamedTuple, Protocol

import structlog

from mailvet.errors import Unavailable
from mailvet.model.status import QualityLevel
from mailvet.model.usage import NO_USAGE, Charge, Usage, day_of, price_halves, usage_of
from mailvet.store.accounting import Accounting

WRITE_EVERY_S = 1.0
"""How long charges are collected: so much is lost by a crash, and one commit is made."""

REMEMBER_S = 5.0
"""How long a tenant that had no limit is taken for one: as soon a new limit holds for calls."""

MAX_REMEMBERED = 10_000

_LOG = structlog.get_logger(room="accounts")


class Chargeable(Protocol):
    """What an answer is charged by: rows and whole results have it."""

    @property
    def input_data(self) -> str:
        """What was asked about."""
        ...

    @property
    def status(self) -> int:
        """What came of it."""
        ...

    @property
    def from_cache(self) -> bool:
        """Whether it was remembered."""
        ...


class Receipt:
    """Takes down what one call learnt."""

    def __init__(self) -> None:
        self.usage = NO_USAGE

    def answered(self, answers: Sequence[Chargeable]) -> None:
        """Note answers; inputs that are alike were asked once, and cost once."""
        distinct = {answer.input_data: answer for answer in answers}
        for answer in distinct.values():
            self.usage = _usage_of_one(answer.status, answer.from_cache).plus(self.usage)
        repeated = len(answers) - len(distinct)
        if repeated:
            self.usage = self.usage.plus(Usage(free=repeated))


@cache
def _usage_of_one(status: int, from_cache: bool) -> Usage:
    """What one answer costs: there are as many as there are statuses, twice."""
    cached = (status,) if from_cache else ()
    return usage_of([(status, 1)], QualityLevel.STANDARD, cached)


class _Day(NamedTuple):
    tenant: str
    day: int


class _Due(NamedTuple):
    usage: Usage = NO_USAGE
    release_halves: int = 0
    """Only of a limited tenant whose charge the store refused at first."""


class Meter:
    """Charges calls of every tenant; `clock` is monotonic seconds, `wall_clock` tells the day."""

    def __init__(
        self,
        store: Accounting,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        write_every_s: float = WRITE_EVERY_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._write_every_s = write_every_s
        self._unlimited: dict[str, float] = {}
        self._collected: dict[_Day, _Due] = {}
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def call(self, tenant: str, distinct_entries: int) -> AbstractAsyncContextManager[Receipt]:
        """Charge what a call takes down; raises `InsufficientBalance` before it begins.

        A call that fails or is given up is charged nothing.
        """
        return _Charged(self, tenant, distinct_entries * price_halves(QualityLevel.STANDARD))

    def is_unlimited(self, tenant: str) -> bool:
        """Whether a tenant was found without a limit lately."""
        return self._clock() < self._unlimited.get(tenant, 0.0)

    async def reserve(self, tenant: str, halves: int) -> bool:
        """Promise what a call can cost; False for a tenant without a limit."""
        now = self._clock()
        if await self._store.reserve(tenant, halves):
            return True
        if len(self._unlimited) >= MAX_REMEMBERED:
            self._unlimited.clear()
        self._unlimited[tenant] = now + REMEMBER_S
        return False

    async def settle(self, tenant: str, usage: Usage, halves: int) -> None:
        """Write a charge; when the store cannot now, later: what was answered is not taken back."""
        day = self._today()
        try:
            await self._store.charge([Charge(tenant, day, usage, halves)])
        except Unavailable as error:
            _LOG.warning("charge.refused", reason=str(error))
            self._collect(_Day(tenant, day), _Due(usage, halves))

    def _today(self) -> int:
        return day_of(self._wall_clock())

    def collect(self, tenant: str, usage: Usage) -> None:
        """Charge a tenant without a limit within a second."""
        self._collect(_Day(tenant, self._today()), _Due(usage))

    def _collect(self, day: _Day, due: _Due) -> None:
        self._add(day, due)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write_soon())

    def _add(self, day: _Day, due: _Due) -> None:
        usage, release_halves = self._collected.get(day, _Due())
        self._collected[day] = _Due(usage.plus(due.usage), release_halves + due.release_halves)

    async def _write_soon(self) -> None:
        while self._collected and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._write_every_s)
            await self.flush()

    async def flush(self) -> None:
        """Write what was collected; what the store refuses is kept for later."""
        collected, self._collected = self._collected, {}
        if not collected:
            return
        try:
            await self._store.charge(
                [Charge(*day, *due) for day, due in collected.items()],
            )
        except Unavailable as error:
            _LOG.warning("charge.refused", reason=str(error))
            for day, due in collected.items():
                self._add(day, due)

    async def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._writing is not None:
            await self._writing
        await self.flush()


class _Charged:
    """One call and its charge; no generator, which would cost twice as much."""

    __slots__ = ("_halves", "_meter", "_receipt", "_reserved", "_tenant")

    def __init__(self, meter: Meter, tenant: str, halves: int) -> None:
        self._meter = meter
        self._tenant = tenant
        self._halves = halves
        """What it costs at most."""
        self._reserved = False
        self._receipt = Receipt()

    async def __aenter__(self) -> Receipt:
        if not self._meter.is_unlimited(self._tenant):
            self._reserved = await self._meter.reserve(self._tenant, self._halves)
        return self._receipt

    async def __aexit__(self, error: object, *_more: object) -> None:
        usage = NO_USAGE if error is not None else self._receipt.usage
        if self._reserved:  # a caller that goes away must not keep the rest of its tenant out
            await asyncio.shield(self._meter.settle(self._tenant, usage, self._halves))
        elif error is None:
            self._meter.collect(self._tenant, usage)
