"""One timer for the deadlines of all sessions of a loop.

A session has a new deadline with every reply, and is over long before any of them: to set and clear
a timer of its own costs as much as a system call.
"""

import asyncio
from typing import Protocol

from mailvet.smtp.per_loop import PerLoop

LOOK_S = 0.1
"""So much later than due a deadline may be noticed: the shortest are seconds."""


class Watched(Protocol):
    """Who has a deadline."""

    def look(self) -> None:
        """See whether it has passed."""
        ...


class Deadlines:
    """Has everybody look ten times a second, as long as there is anybody."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ARG002 - not kept alive
        self._watched: set[Watched] = set()
        self._ticks = False

    def watch(self, who: Watched) -> None:
        """Have him look from now on."""
        self._watched.add(who)
        if not self._ticks:
            self._tick_later()

    def forget(self, who: Watched) -> None:
        """Have him look no more."""
        self._watched.discard(who)

    def _tick_later(self) -> None:
        self._ticks = True
        asyncio.get_running_loop().call_later(LOOK_S, self._tick)

    def _tick(self) -> None:
        self._ticks = False
        if self._watched:
            self._tick_later()
        for who in list(self._watched):
            if who in self._watched:  # else another has ended him
                who.look()


DEADLINES = PerLoop(Deadlines)
