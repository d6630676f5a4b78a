"""Who waits for what: in-process revisions, shared by the stores.

Every commit gives the batches it touched a new revision; a waiter names the last one it saw, so
a change between its look and its wait is never lost. All calls are made on the event loop.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

WORK = 0
"""The key of "there is new work"; batch keys begin at 1."""

REMEMBERED_KEYS = 10_000
"""More than are watched at once; a forgotten key costs its watcher one spurious return."""


class Changes:
    """Revisions by key, and the waiters for the next one."""

    def __init__(self) -> None:
        self._revision = 1  # 0 is before everything
        self._floor = 1
        self._latest: OrderedDict[int, int] = OrderedDict()
        self._waiters: dict[int, set[asyncio.Future[None]]] = {}

    def note(self, keys: Iterable[int]) -> None:
        """Give each key a new revision and wake who waits for it."""
        for key in keys:
            self._revision += 1
            self._latest[key] = self._revision
            self._latest.move_to_end(key)
            for waiter in self._waiters.pop(key, ()):
                if not waiter.done():
                    waiter.set_result(None)
        while len(self._latest) > REMEMBERED_KEYS:
            self._floor = self._latest.popitem(last=False)[1]

    def revision(self, key: int) -> int:
        """Return the revision of a key: never 0, and higher after each change."""
        return max(self._latest.get(key, 0), self._floor)

    async def changed(self, key: int, *, after: int, timeout_s: float) -> int:
        """Wait until the revision is not `after`, or the time is over; return it."""
        if self.revision(key) == after:
            await self._wait(key, timeout_s)
        return self.revision(key)

    async def _wait(self, key: int, timeout_s: float) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(key, set()).add(waiter)
        try:
            await asyncio.wait((waiter,), timeout=timeout_s)
        finally:
            self._forget(key, waiter)

    def _forget(self, key: int, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiters.get(key)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiters[key]
