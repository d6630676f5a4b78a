"""The part of the store contract about steering a batch that is there: pause, resume, update.

A paused batch hands out no work and nothing of it becomes due. What is under way is settled as
ever, so a batch may complete while it is paused. Where it is resumed its next chunk is served as
work that is queued now: it is neither held up nor paid for the time it was away.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from mailvet.model.batch import Batch

SpecChanges: TypeAlias = Mapping[str, Any]
"""New values of fields of `BatchSpec`, by their names."""

DRAFT_FIELDS = frozenset({"quality", "deduplication", "keep_last", "rules", "removal"})
"""Fields of `BatchSpec` that decide what work there is; fixed when it begins."""


class Steering(Protocol):
    """What the rooms above may ask of a store to steer a batch.

    Every method raises `NotFound`, and `EtagMismatch` when an etag is given and the batch has
    another one.
    """

    async def pause_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """Move a RUNNING batch to PAUSED; a PAUSED one is returned as it is, else `WrongState`."""
        ...

    async def resume_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """Move a PAUSED batch to RUNNING; a RUNNING one is returned as it is, else `WrongState`."""
        ...

    async def update_batch(
        self, tenant: str, batch_id: str, changes: SpecChanges, *, etag: str = ""
    ) -> Batch:
        """Change settings of a batch, and return it; a new priority counts for what is queued too.

        A new callback of a batch that ended is due at once.
        Changes of what the plan was made by (`DRAFT_FIELDS`) raise `WrongState` unless the batch
        is a DRAFT.
        """
        ...
