"""Erases batches whose retention is over, and says for how long a new one is kept."""

import asyncio
from dataclasses import replace

from mailvet.errors import Unavailable
from mailvet.model.batch import BatchSpec
from mailvet.store.keeping import Keeping
from mailvet.telemetry.logs import logger

SWEEP_EVERY_S = 15.0
"""A twentieth of the shortest retention; a look that finds nothing reads one row of an index."""

_LOG = logger("batches")


async def settled(
    store: Keeping, tenant: str, spec: BatchSpec, retention_s: float | None
) -> BatchSpec:
    """Return a spec with the retention that was asked for, else the tenant's."""
    if retention_s is None:
        retention_s = (await store.get_data_policy(tenant)).retention_s
    return replace(spec, retention_s=retention_s)


class Sweeper:
    """Sweeps a store again and again."""

    def __init__(self, store: Keeping) -> None:
        self._store = store

    async def run(self) -> None:
        """Sweep every few seconds, until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> int:
        """Erase what is due now; return how many batches. A store that cannot is asked again."""
        try:
            erased = await self._store.sweep()
        except Unavailable as error:
            _LOG.warning("sweep.refused", reason=str(error))
            return 0
        if erased:
            _LOG.info("sweep.erased", batches=erased)
        return erased
