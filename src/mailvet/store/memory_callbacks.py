"""How a memory store keeps whom to tell that a batch ended: with the batch."""

from collections.abc import Callable
from dataclasses import replace

from mailvet.model.batch import Batch
from mailvet.model.callback import CallbackCalls
from mailvet.store.memory_keeping import Kept


class MemoryCallbacks:
    """The part of a memory store that answers `CallbackStore`."""

    _clock: Callable[[], float]
    _kept: dict[tuple[str, str], Kept]

    async def due_callbacks(self, *, limit: int) -> list[Batch]:
        """See `CallbackStore.due_callbacks`."""
        now = self._clock()
        due = [
            (kept.batch.calls.next_time, kept.batch.key, kept.batch)
            for kept in self._kept.values()
            if kept.batch.calls.next_time is not None and kept.batch.calls.next_time <= now
        ]
        return [batch for _, _, batch in sorted(due)[:limit]]

    async def note_calls(self, batch: Batch, calls: CallbackCalls) -> bool:
        """See `CallbackStore.note_calls`."""
        kept = self._kept.get((batch.tenant, batch.batch_id))
        if kept is None or kept.batch.key != batch.key:
            return False
        now = kept.batch
        if (now.spec.callback, now.calls[:4]) != (batch.spec.callback, batch.calls[:4]):
            return False
        kept.batch = replace(now, calls=calls)
        return True
