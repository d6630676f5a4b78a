"""How a memory store steers batches: the queue pauses and reweighs, the batch says so."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from mailvet.model.batch import Batch
from mailvet.model.callback import NO_CALLS
from mailvet.model.status import BatchState
from mailvet.store import rules
from mailvet.store.changes import WORK, Changes
from mailvet.store.memory_queue import Queue
from mailvet.store.steering import SpecChanges


class Steered(Protocol):
    """What is kept of a batch, as far as steering goes."""

    batch: Batch


class MemorySteering(ABC):
    """The part of a memory store that answers `Steering`."""

    _queue: Queue
    _changes: Changes
    _clock: Callable[[], float]

    @abstractmethod
    def _get(self, tenant: str, batch_id: str) -> Any:
        """Return what is kept of a batch (a `Steered`), or raise `NotFound`."""

    async def pause_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Steering.pause_batch`."""
        kept = self._get(tenant, batch_id)
        if kept.batch.state is not BatchState.PAUSED:
            rules.require_etag(kept.batch, etag)
            rules.require_pausable(kept.batch)
            self._queue.pause(kept.batch.key)
            self._keep(kept, state=BatchState.PAUSED)
        return self._batch(kept)

    async def resume_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Steering.resume_batch`."""
        kept = self._get(tenant, batch_id)
        if kept.batch.state is not BatchState.RUNNING:
            rules.require_etag(kept.batch, etag)
            rules.require_resumable(kept.batch)
            self._queue.resume(kept.batch.key)
            self._keep(kept, state=BatchState.RUNNING)
            self._changes.note([WORK])
        return self._batch(kept)

    async def update_batch(
        self, tenant: str, batch_id: str, changes: SpecChanges, *, etag: str = ""
    ) -> Batch:
        """See `Steering.update_batch`."""
        kept = self._get(tenant, batch_id)
        rules.require_etag(kept.batch, etag)
        rules.require_changeable(kept.batch, changes)
        spec = replace(kept.batch.spec, **changes)
        calls = kept.batch.calls
        if "callback" in changes:
            due = kept.batch.end_time is not None and spec.callback is not None
            calls = NO_CALLS._replace(next_time=self._clock() if due else None)
        self._keep(kept, spec=spec, calls=calls)
        self._queue.update(kept.batch)
        return self._batch(kept)

    def _keep(self, kept: Steered, **changes: Any) -> None:
        kept.batch = replace(kept.batch, revision=kept.batch.revision + 1, **changes)
        self._changes.note([kept.batch.key])

    def _batch(self, kept: Steered) -> Batch:
        return kept.batch
