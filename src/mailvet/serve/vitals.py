"""Whether this process is well: how long its loop was held up, and how much memory it has.

Everybody is served by one loop, so whatever holds it is told in the log. What is held for a batch
does not grow with it, but windows, sessions and readers add up: above the limit nothing new is
taken on, what is only remembered is dropped, and the work under way goes on.
"""

import asyncio
import ctypes
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mailvet.errors import Unavailable
from mailvet.store.hindrances import MEMORY_SHORT
from mailvet.telemetry.logs import logger

LOOK_EVERY_S = 1.0
HELD_S = 0.25
"""A loop held longer makes exchangers and readers wait visibly."""
TELL_EVERY_S = 10.0
"""Between two log lines about the same loop."""
WELL_BELOW = 0.9
"""Of the limit: memory goes up and down with every window."""
DETAIL = (
    "the process has {have} MiB of memory, its limit `memory_limit_mib` is {limit}: nothing new is"
    " taken on until it has less; lower `window_entries` or `max_sessions`, or raise the limit"
)

_LOG = logger("serve")


class Engine(Protocol):
    """Who works in this process, and may be asked to do with less."""

    def relieve(self, *, short: bool) -> None:
        """Take on nothing new while short of memory, and drop what is only remembered."""
        ...

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """Say what holds up all work, or with None that it does no more."""
        ...


class Vitals:
    """Looks at one process again and again."""

    def __init__(
        self,
        engine: Engine,
        *,
        limit_mib: float,
        resident_mib: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit_mib` 0 is no limit; `clock` is the loop's, in seconds."""
        self._engine = engine
        self._limit_mib = limit_mib
        self._resident_mib = resident_mib or resident
        self._clock = clock
        self._told_at = float("-inf")
        self.short = False
        """Whether memory was short at the last look."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            asleep_at = self._clock()
            await asyncio.sleep(LOOK_EVERY_S)
            self.woke(late_s=self._clock() - asleep_at - LOOK_EVERY_S)
            await self.weigh()

    def woke(self, *, late_s: float) -> None:
        """Tell of a loop that was held up, now and then."""
        if late_s > HELD_S and self._clock() - self._told_at >= TELL_EVERY_S:
            self._told_at = self._clock()
            _LOG.warning("loop.held", held_s=round(late_s, 3))

    async def weigh(self) -> None:
        """Look at the memory, and act when it became short or was given back."""
        if not self._limit_mib:
            return
        have = self._resident_mib()
        short = have > self._limit_mib * (WELL_BELOW if self.short else 1)
        if short:
            self._engine.relieve(short=True)
            give_back()
        elif self.short:
            self._engine.relieve(short=False)
        if short is not self.short:
            detail = DETAIL.format(have=round(have), limit=round(self._limit_mib))
            try:
                await self._engine.note_hindrance(MEMORY_SHORT, detail if short else None)
            except Unavailable:  # the store cannot be told now: the next look tries again
                return
            self.short = short


def resident() -> float:
    """Return the resident set of this process in MiB; 0 where the system does not tell (Linux)."""
    try:
        fields = Path("/proc/self/status").read_text("ascii").split()
    except OSError:
        return 0.0
    return int(fields[fields.index("VmRSS:") + 1]) / 1024


def give_back() -> None:
    """Return freed memory to the system, as far as the allocator can (glibc's malloc_trim)."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
