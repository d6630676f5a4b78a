"""When a session that is not full yet should start.

Entries come by batch, domains by the answers of name servers: seldom do those of one exchanger come
together. A connection costs as much as a dozen recipients, for us and for the exchanger, so a
route waits for more company as long as more keeps coming, and never for long.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

QUIET_S = 0.05
"""A claim from the store, or the answer of a near name server, takes less."""

GATHER_S = 2.0
"""Less than many a greeting takes; at the speeds of this service thousands of entries."""

FLOWING = 0.02
"""As many of those who wait have to come between two looks for more to be worth waiting for."""
STRETCH = 5
"""So many times longer is waited then: a slow machine takes its time to fill the same sessions."""


class _Waiting(NamedTuple):
    since: float
    """By the loop's clock."""
    start: Callable[[], None]


class Gathering:
    """Those who wait for company; one timer for all of them."""

    def __init__(self, most_s: float) -> None:
        """Nobody waits longer than `most_s` seconds, and a little, unless many more keep coming;
        with 0 nobody waits at all."""
        self.most_s = most_s
        self._waiting: dict[object, _Waiting] = {}
        self._arrivals = 0
        self._arrivals_before = 0
        self._under_way = 0
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Note that somebody is on the way, who may be company."""
        self._under_way += 1

    def arrived(self) -> None:
        """Note that who was expected came, or will not come any more."""
        self._under_way -= 1
        self._arrivals += 1

    def wait(self, who: object, start: Callable[[], None]) -> None:
        """Call `start` once nobody else comes, or this waits for too long; once for each `who`."""
        self._arrivals += 1
        if who not in self._waiting:
            loop = asyncio.get_running_loop()
            self._waiting[who] = _Waiting(loop.time(), start)
            if self._timer is None:
                self._set_timer(loop)

    def leave(self, who: object) -> None:
        """Forget one who waits."""
        self._waiting.pop(who, None)

    def close(self) -> None:
        """Forget everybody."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        self._arrivals_before = self._arrivals
        self._timer = loop.call_later(min(QUIET_S, self.most_s), self._look)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        came = self._arrivals - self._arrivals_before
        quiet = not came and not self._under_way
        flowing = came > FLOWING * len(self._waiting)
        latest = loop.time() - self.most_s * (STRETCH if flowing else 1)
        released = []
        for who, (since, start) in self._waiting.items():
            if not quiet and since > latest:  # they stand in the order in which they came
                break
            released.append((who, start))
        for who, start in released:
            self._waiting.pop(who, None)
            start()
        if self._waiting and self._timer is None:
            self._set_timer(loop)
