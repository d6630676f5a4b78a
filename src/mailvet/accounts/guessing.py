"""Guessers wait: refusals of unknown callers are answered late when there are many of them.

A refusal costs a server nearly as much as an answer, so what protects those who have a key is that
those who have none come again less often. HTTP/2 lets a connection have a limited number of calls
open: a guesser whose calls are held has to wait too.
"""

import asyncio
import random
from collections.abc import Callable

from mailvet.accounts.rate import Rate

FREE_PER_S = 20.0
"""Refusals answered at once, in the long run: somebody who mistypes a key is not held up."""
FREE_BURST = 100
HOLD_S = 10.0
"""On average: so a connection with its 128 calls makes a dozen guesses a second."""
SPREAD = 0.5
"""By which part a wait is shorter or longer: what came in one wave does not come back in one."""
MAX_HELD = 10_000
"""Calls held at once, some 20 KB each; further ones are answered at once."""
_ALL = "all"


class Guessing:
    """Decides which refusals wait; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float], *, hold_s: float = HOLD_S) -> None:
        self._rate = Rate(FREE_PER_S, FREE_BURST, clock=clock)
        self._hold_s = hold_s
        self._held: set[asyncio.Future[None]] = set()

    @property
    def held(self) -> int:
        """How many calls wait now."""
        return len(self._held)

    def is_late(self) -> bool:
        """Count a refusal; whether it is one of many, and has to wait."""
        return self._rate.take(_ALL) > 0 and len(self._held) < MAX_HELD

    async def hold(self) -> None:
        """Wait as long as a refusal is held, or until all are let go."""
        # A future and a timer: a task for each would cost more than the refusal itself.
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        hold_s = self._hold_s * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret
        timer = loop.call_later(hold_s, _end, waiting)
        self._held.add(waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            self._held.discard(waiting)

    def let_go(self) -> None:
        """Have all that wait answered now."""
        for waiting in self._held:
            _end(waiting)


def _end(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
