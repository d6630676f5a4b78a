"""The store contract for telling callers that their batches ended: an outbox that is durable.

What is due is noted in the transaction that ends a batch, so no end goes untold though the process
dies right after it. It is a part of the batch, and is erased with it.
"""

from collections.abc import Sequence
from typing import Protocol

from mailvet.model.batch import Batch
from mailvet.model.callback import CallbackCalls


class CallbackStore(Protocol):
    """What the rooms above may ask of a store about callbacks, of all tenants."""

    async def due_callbacks(self, *, limit: int) -> Sequence[Batch]:
        """Return batches whose callback is to be called now, those first that wait the longest."""
        ...

    async def note_calls(self, batch: Batch, calls: CallbackCalls) -> bool:
        """Keep what came of calling for a batch; its `next_time` is when it is due again.

        False, and nothing is kept, when the batch is gone or its callback is not as in `batch`.
        """
        ...
