"""The least time between two frames of a stream, so that one carries what many commits bring."""

import asyncio
from collections.abc import Callable


class Pause:
    """Keeps a loop from running more often than every `gap_s` seconds; the first time is free."""

    def __init__(self, clock: Callable[[], float], gap_s: float) -> None:
        self._clock = clock
        self._gap_s = gap_s
        self._last = -gap_s

    def start(self) -> None:
        """Count the gap from now."""
        self._last = self._clock()

    async def keep(self) -> None:
        """Wait for what is left of the gap."""
        left_s = self._last + self._gap_s - self._clock()
        if left_s > 0:
            await asyncio.sleep(min(left_s, self._gap_s))
