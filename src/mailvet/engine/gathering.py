"""When a session that is not full yet should start.

Entries come by batch, domains by the answers of name servers: seldom do those of one exchanger come
together. A connection costs as much as a dozen recipients, for us and for the exchanger, so a
route waits for more company as long as more keeps coming, and never for long. Where nobody comes
before somebody has gone, the fullest go first.
"""

import asyncio
import heapq
import sys
from collections.abc import Callable
from typing import NamedTuple, Protocol

from mailvet.model.named import new

QUIET_S = 0.05
"""The answer of a near name server takes less."""

GATHER_S = 2.0
"""Less than many a greeting takes; at the speeds of this service thousands of entries."""

FLOWING = 0.01
"""As many of those who wait have to come between two looks for more to be worth waiting for."""
STRETCH = 5
"""So many times longer is waited then: a slow machine takes its time to fill the same sessions."""
LATE_S = 2 * QUIET_S
"""No more than this is counted of the time between two looks: nobody could come while the loop was
busy, or the machine was with others."""
LOOKS = 8
"""How many looks tell what comes: a claim brings a hundred at once, and then there is a pause."""


class Party(Protocol):
    """Who waits for company."""

    @property
    def queued(self) -> int:
        """How many there are of them already."""
        ...


class _Waiting(NamedTuple):
    since: float
    """In seconds that counted as waiting."""
    start: Callable[[Party], None]


class Gathering:
    """Those who wait for company; one timer for all of them."""

    def __init__(self, most_s: float, free: Callable[[], int] = lambda: sys.maxsize) -> None:
        """Nobody waits longer than `most_s` seconds, and a little, unless many more keep coming;
        with 0 nobody waits at all. `free()` tells how many could start at once."""
        self.most_s = most_s
        self.blocked = False
        """Whether more would come, had those who wait made room for it."""
        self._free = free
        self._waiting: dict[Party, _Waiting] = {}
        self._arrivals = 0
        self._flow = 0.0
        """What came between two looks lately."""
        self._under_way = 0
        self._waited = 0.0
        """Seconds that counted as waiting."""
        self._looked_at = 0.0
        """By the loop's clock."""
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Note that somebody is on the way, who may be company."""
        self._under_way += 1

    def arrived(self) -> None:
        """Note that who was expected came, or will not come any more."""
        self._under_way -= 1
        self._arrivals += 1

    def wait(self, who: Party, start: Callable[[Party], None]) -> None:
        """Call `start(who)`, once, as soon as nobody else comes or this waits for too long."""
        self._arrivals += 1
        if who not in self._waiting:
            self._waiting[who] = new(_Waiting, (self._waited, start))
            if self._timer is None:
                self._set_timer()

    def leave(self, who: Party) -> None:
        """Forget one who waits."""
        self._waiting.pop(who, None)

    def close(self) -> None:
        """Forget everybody."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._looked_at = loop.time()
        self._timer = loop.call_later(min(QUIET_S, self.most_s), self._look)

    def _look(self) -> None:
        self._timer = None
        self._waited += min(asyncio.get_running_loop().time() - self._looked_at, LATE_S)
        came, self._arrivals = self._arrivals, 0
        self._flow += (came - self._flow) / LOOKS
        if came or (self._under_way and not self.blocked):
            released = self._overdue()
        elif self.blocked:
            released = self._overdue()
            released += self._fullest(self._free() - len(released))
        else:
            released = list(self._waiting)
        for who in released:
            waited = self._waiting.pop(who, None)
            if waited is not None:
                waited[1](who)
        if self._waiting and self._timer is None:
            self._set_timer()

    def _overdue(self) -> list[Party]:
        """Return those who have waited for long enough."""
        flowing = self._flow > FLOWING * len(self._waiting)
        latest = self._waited - self.most_s * (STRETCH if flowing else 1)
        overdue = []
        for who, (since, _) in self._waiting.items():
            if since > latest:  # they stand in the order in which they came
                break
            overdue.append(who)
        return overdue

    def _fullest(self, count: int) -> list[Party]:
        """Return so many of those who need the least company."""
        if count >= len(self._waiting):
            return list(self._waiting)
        return heapq.nlargest(count, self._waiting, key=lambda who: who.queued)
