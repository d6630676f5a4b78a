"""Guessers wait: refusals of unknown callers are answered late when there are many of them.

A refusal costs a server nearly as much as an answer, so what protects those who have a key is that
those who have none come again less often. HTTP/2 lets a connection have a limited number of calls
open: a guesser whose calls are held has to wait too.
"""

import asyncio
from collections.abc import Callable

from mailvet.accounts.rate import Rate

FREE_PER_S = 20.0
"""Refusals answered at once, in the long run: somebody who mistypes a key is not held up."""
FREE_BURST = 100
HOLD_S = 10.0
"""So a connection with its 1,024 calls makes a hundred guesses a second."""
MAX_HELD = 10_000
"""Calls held at once, some 20 KB each; further ones are answered at once."""
_ALL = "all"


class Guessing:
    """Decides how long a refusal waits; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float], *, hold_s: float = HOLD_S) -> None:
        self._rate = Rate(FREE_PER_S, FREE_BURST, clock=clock)
        self._hold_s = hold_s
        self.held = 0

    async def hold(self) -> None:
        """Return at once for one of few refusals, after a while for one of many."""
        if not self._rate.take(_ALL) or self.held >= MAX_HELD:
            return
        self.held += 1
        try:
            await asyncio.sleep(self._hold_s)
        finally:
            self.held -= 1
