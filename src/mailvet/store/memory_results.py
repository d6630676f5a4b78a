"""Results read back from the memory store: by sequence, by page, by entry."""

from abc import ABC, abstractmethod
from itertools import accumulate

from mailvet.model.batch import EntryPlace, ResultFilter, ResultPage, ResultRow
from mailvet.store import rules
from mailvet.store.base import Seal, unsealed
from mailvet.store.memory_keeping import Kept
from mailvet.store.memory_queue import Queue


class MemoryResults(ABC):
    """That part of the memory store."""

    _queue: Queue

    @abstractmethod
    def _get(self, tenant: str, batch_id: str) -> Kept:
        """Return what is kept of a batch, or raise `NotFound`."""

    async def results_after(
        self,
        tenant: str,
        batch_id: str,
        sequence: int,
        *,
        limit: int,
        where: ResultFilter | None = None,
    ) -> ResultPage:
        """See `Store.results_after`."""
        kept = self._get(tenant, batch_id)
        rows: list[ResultRow] = []
        for row in kept.results[sequence:]:
            if len(rows) == limit:
                break
            sequence += 1
            if where is None or rules.passes(where, row.status, row.classification):
                rows.append(row)
        return ResultPage(rows, sequence, sequence >= len(kept.results), kept.batch.state)

    async def page_start(
        self, tenant: str, batch_id: str, sequence: int, *, limit: int, where: ResultFilter
    ) -> int:
        """See `Store.page_start`."""
        results = self._get(tenant, batch_id).results[:sequence]
        passing = [
            place
            for place, row in enumerate(results)
            if rules.passes(where, row.status, row.classification)
        ]
        return passing[-limit] if len(passing) >= limit else 0

    async def joined_after(
        self,
        tenant: str,
        batch_id: str,
        sequence: int,
        *,
        limit: int,
        max_bytes: int,
        pages: int = 1,
        seal: Seal = unsealed,
    ) -> list[ResultPage]:
        """See `Store.joined_after`."""
        kept = self._get(tenant, batch_id)
        found: list[ResultPage] = []
        place, ahead = sequence, 0
        while not found or (len(found) < pages and ahead < rules.AHEAD_BYTES):
            docs = [row.doc for row in kept.results[place : place + limit]]
            sizes = accumulate(map(len, docs))
            fitting = sum(1 for number, size in enumerate(sizes) if not number or size <= max_bytes)
            joined = b"".join(docs[:fitting])
            place, ahead = place + fitting, ahead + len(joined)
            caught_up = place >= len(kept.results)
            if not caught_up:
                joined += seal(place)
            found.append(ResultPage([], place, caught_up, kept.batch.state, joined))
            if caught_up:
                break
        return found

    async def result_of(self, tenant: str, batch_id: str, index: int) -> EntryPlace:
        """See `Store.result_of`."""
        kept = self._get(tenant, batch_id)
        rules.require_index(kept.batch, index)
        waits = (
            chunk.run_at
            for chunk in self._queue.of_batch(kept.batch.key)
            if chunk.stamp is None and index in chunk.indexes
        )
        return EntryPlace(kept.by_entry.get(index), next(waits, None))
