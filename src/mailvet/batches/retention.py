"""Erases batches whose retention is over, and says for how long a new one is kept."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from mailvet.errors import Unavailable
from mailvet.model.batch import BatchSpec
from mailvet.store.keeping import Keeping
from mailvet.telemetry.logs import logger

SWEEP_EVERY_S = 15.0
"""A twentieth of the shortest retention; a look that finds nothing reads one row of an index."""

JUMP_S = 3600.0
"""A wall clock that went so much further than the time that passed was set, rightly or not."""
HOLD_S = 3600.0
"""How long nothing is erased then: for people to see the warning and to set it back."""

_LOG = logger("batches")


async def settled(
    store: Keeping, tenant: str, spec: BatchSpec, retention_s: float | None
) -> BatchSpec:
    """Return a spec with the retention that was asked for, else the tenant's."""
    if retention_s is None:
        retention_s = (await store.get_data_policy(tenant)).retention_s
    return replace(spec, retention_s=retention_s)


class Sweeper:
    """Sweeps a store again and again, unless the wall clock has just jumped ahead.

    What is erased is gone for good, so a wrong clock must not decide it. A clock set back only
    makes everything be kept longer.
    """

    def __init__(
        self,
        store: Keeping,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` counts the seconds that pass, whatever `wall_clock` is set to."""
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._offset = wall_clock() - clock()
        self._held_until = float("-inf")

    async def run(self) -> None:
        """Sweep every few seconds, until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> int:
        """Erase what is due now; return how many batches. A store that cannot is asked again."""
        if self._clock_jumped():
            return 0
        try:
            erased = await self._store.sweep()
        except Unavailable as error:
            _LOG.warning("sweep.refused", reason=str(error))
            return 0
        if erased:
            _LOG.info("sweep.erased", batches=erased)
        return erased

    def _clock_jumped(self) -> bool:
        """Whether the wall clock was set ahead within the last hour."""
        now = self._clock()
        offset = self._wall_clock() - now
        ahead_s, self._offset = offset - self._offset, offset
        if ahead_s > JUMP_S:
            self._held_until = now + HOLD_S
            _LOG.warning("sweep.held", clock_ahead_s=round(ahead_s), held_s=HOLD_S)
        elif ahead_s < -JUMP_S:  # set back: what was held for is over
            self._held_until = now
        return now < self._held_until
