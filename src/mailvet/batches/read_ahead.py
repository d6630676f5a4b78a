"""Pages of a log read before they are asked for: a reader who keeps up pays for no look of its own.

Some pages are read at once, and when half of them are gone the next ones are on their way; as many
as the reader is seen to take. What it does not take soon is forgotten and read again, so of a batch
that is deleted meanwhile nothing goes out later than that.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any

from mailvet.model.batch import ResultPage

READ_AHEAD = 4096
"""Results of small frames read at once, at most."""
GROWTH = 4
"""How many times more are read the next time, while the reader keeps up."""
READ_AHEAD_S = 0.1
"""For how long what was read ahead may still be sent."""

Read = Callable[[int, int], Coroutine[Any, Any, list[ResultPage]]]
"""Returns pages after a sequence, at least one and at most so many."""


class ReadAhead:
    """The pages after `sequence`, one by one; `clock` is monotonic seconds."""

    def __init__(
        self, read: Read, sequence: int, *, limit: int, clock: Callable[[], float]
    ) -> None:
        """`limit` is how many results a page has at most."""
        self._read = read
        self._sequence = sequence
        self._most = max(1, READ_AHEAD // limit)
        self._size = 1
        """How many pages are read at once just now."""
        self._taken = 0
        """Of what was read last."""
        self._clock = clock
        self._pages: deque[ResultPage] = deque()
        self._read_at = -inf  # the first page is wanted at once, and perhaps no other
        self._turn = -1
        """How many pages are left when the next ones are to be read."""
        self._coming: asyncio.Task[list[ResultPage]] | None = None
        self._coming_at = 0.0

    def at_hand(self) -> ResultPage | None:
        """Return the next page if it was read lately, has results and is not the last one."""
        now = self._clock()
        if not self._pages or now - self._read_at > READ_AHEAD_S:
            return None
        page = self._pages[0]
        return None if page.caught_up or not page.docs else self._take(now)

    async def next(self) -> ResultPage:
        """Return the next page; it may be empty."""
        now = self._clock()
        if not self._pages or now - self._read_at > READ_AHEAD_S:
            await self._fill(now)
        return self._take(now)

    def _take(self, now: float) -> ResultPage:
        page = self._pages.popleft()
        self._taken += 1
        self._sequence = page.sequence
        if len(self._pages) == self._turn:
            self._send_for_more(now)
        return page

    def close(self) -> None:
        """Read no more."""
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None

    async def _fill(self, now: float) -> None:
        is_slow = now - self._read_at > READ_AHEAD_S
        if is_slow or self._coming is None:
            self.close()
            self._read_at = now
            if is_slow:
                self._size = max(1, self._taken // 2)
            else:
                self._grow()
            pages = await self._read(self._sequence, self._size)
        else:
            coming, self._coming = self._coming, None
            self._read_at = self._coming_at
            pages = await coming
        self._pages = deque(pages)
        self._taken = 0
        self._turn = len(pages) // 2 if len(pages) > 1 else -1

    def _grow(self) -> None:
        self._size = min(self._most, self._size * GROWTH)

    def _send_for_more(self, now: float) -> None:
        last = self._pages[-1]
        if last.caught_up or self._coming is not None:
            return
        self._grow()
        self._coming = asyncio.ensure_future(self._read(last.sequence, self._size))
        self._coming.add_done_callback(_heard)
        self._coming_at = now


def _heard(task: "asyncio.Task[list[ResultPage]]") -> None:
    """Take note of how a read ended that nobody may come for any more."""
    if not task.cancelled():
        task.exception()
