"""Whose fault it is that nobody can be connected to: theirs or ours.

While no connection has succeeded of late, a failure to connect is held back instead of being
concluded. When enough unrelated exchangers fail in a row, known-good ones are greeted: if one of
them answers, the failures were theirs; if none does, port 25 is closed for us (golden rule 8):
probing pauses, the reason is said, nothing is marked, and work goes on by itself as soon as
anybody can be connected to again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mailvet.engine.case import Case

HINDRANCE = "LOCAL_EGRESS_UNAVAILABLE"
DETAIL = (
    "No mail exchanger can be connected to from here; is outbound port {port} open? "
    "Probing pauses and goes on by itself."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """When to suspect ourselves, and for how long to wait."""

    threshold: int = 3
    """Unrelated exchangers in a row; fewer may all be dead."""
    patience_s: float = 3600.0
    """After this, entries end as LOCAL_EGRESS_UNAVAILABLE, which says nothing about them."""
    proven_s: float = 60.0
    """A success proves our egress for this long."""
    settle_s: float = 2.0
    """Failures below the threshold are concluded after this long without another."""
    recheck_s: float = 10.0
    """How often an open breaker looks again."""


class Breaker:
    """Holds failures to connect until it is clear whose they are."""

    def __init__(
        self,
        limits: BreakerLimits,
        *,
        clock: Callable[[], float],
        canary: Callable[[], Awaitable[bool]],
        pause: Callable[[bool], None],
        try_one: Callable[[], bool],
        release: Callable[[Sequence[Case], bool], None],
        say: Callable[[bool], Awaitable[None]],
    ) -> None:
        """`release(cases, ours)` concludes held cases as their failure or as ours; `pause` stops
        and resumes probing; `try_one` starts one queued session while paused; `say` publishes
        or takes back the hindrance."""
        self._limits = limits
        self._clock = clock
        self._canary = canary
        self._pause = pause
        self._try_one = try_one
        self._release = release
        self._say = say
        self._held: list[Case] = []
        self._failing: set[str] = set()
        self._proven_at = float("-inf")
        self._last_failure = 0.0
        self._opened_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """Whether our own egress is taken for unavailable."""
        return self._opened_at is not None

    @property
    def out_of_patience(self) -> bool:
        """Whether it has been open for so long that entries end as our failure."""
        return (
            self._opened_at is not None
            and self._clock() - self._opened_at >= self._limits.patience_s
        )

    def succeeded(self) -> None:
        """Note that some exchanger was connected to: our egress works."""
        self._proven_at = self._clock()
        if self._failing or self._held:
            self._failing.clear()
            self._let_go(ours=False)

    def failed(self, route: str, cases: Sequence[Case]) -> None:
        """Note that no exchanger of a route could be connected to, and take its cases.

        They come back through `release`, at once when our egress is proven.
        """
        now = self._clock()
        if now - self._proven_at < self._limits.proven_s:
            self._release(cases, False)
            return
        self._failing.add(route)
        self._held += cases
        self._last_failure = now
        if self._task is None:
            self._task = asyncio.ensure_future(self._watch())

    def watch_is_over(self) -> bool:
        """Whether no failure is being looked into."""
        return self._task is None

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        try:
            while self._held or self.open:
                if self.open:
                    await self._recheck()
                elif len(self._failing) >= self._limits.threshold:
                    await self._suspect()
                else:
                    await self._wait_for_more()
        finally:
            self._task = None

    async def _wait_for_more(self) -> None:
        left_s = self._last_failure + self._limits.settle_s - self._clock()
        if left_s > 0:
            await asyncio.sleep(left_s)
            return
        # Too few to suspect ourselves: they are taken at their word.
        self._failing.clear()
        self._let_go(ours=False)

    async def _suspect(self) -> None:
        if await self._canary():
            self.succeeded()
        elif len(self._failing) >= self._limits.threshold:  # no success came in meanwhile
            self._opened_at = self._clock()
            self._pause(True)
            await self._say(True)

    async def _recheck(self) -> None:
        assert self._opened_at is not None
        left_s = self._opened_at + self._limits.patience_s - self._clock()
        if left_s <= 0:
            self._let_go(ours=True)
            left_s = self._limits.recheck_s
        await asyncio.sleep(max(0.01, min(self._limits.recheck_s, left_s)))
        self._try_one()
        if self._proven_at > self._opened_at or await self._canary():
            await self._reopen_for_work()

    async def _reopen_for_work(self) -> None:
        self._opened_at = None
        self._pause(False)
        self.succeeded()
        await self._say(False)

    def _let_go(self, *, ours: bool) -> None:
        held, self._held = self._held, []
        if held:
            self._release(held, ours)
