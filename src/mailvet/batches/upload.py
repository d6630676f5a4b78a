"""Filling a batch: chunks with offsets, repeats skipped, gaps refused, acked when durable."""

from collections.abc import Sequence
from typing import NamedTuple

from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.limits import MAX_ENTRIES_PER_BATCH
from mailvet.errors import QuotaExceeded
from mailvet.model.batch import Batch, Entry
from mailvet.store.base import Store


class Chunk(NamedTuple):
    """Some entries and the index of the first; None is right after the chunk before."""

    offset: int | None
    entries: Sequence[RawEntry]


class Taken(NamedTuple):
    """A chunk whose entries were taken in, to be kept."""

    offset: int | None
    entries: Sequence[Entry]


class Upload:
    """One caller filling one batch; it holds nothing but where it is."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        batch: Batch,
        *,
        max_entries: int = MAX_ENTRIES_PER_BATCH,
    ) -> None:
        self._max_entries = max_entries
        self._store = store
        self._intake = intake
        self._batch = batch
        self._next: int | None = None
        """Where a chunk without an offset goes; None is the end of the batch."""
        self.entry_count = batch.entry_count
        """How many entries are durably kept, as far as this caller knows."""

    async def append(self, chunks: Sequence[Chunk]) -> int:
        """Append chunks in order; return how many entries are durably kept then.

        Chunks that follow on each other share one commit. Raises what `append_entries` raises,
        and `QuotaExceeded` when the batch would grow too large.
        """
        return await self.keep([await self.take(chunk) for chunk in chunks])

    async def take(self, chunk: Chunk) -> Taken:
        """Take the entries of a chunk in; as many as wait may be taken in before any is kept."""
        spec = self._batch.spec
        entries = await self._intake.take(
            chunk.entries, spec.deduplication, bare_domains=spec.bare_domains
        )
        return Taken(chunk.offset, entries)

    async def keep(self, chunks: Sequence[Taken]) -> int:
        """As `append`, of chunks that were taken in."""
        for start, entries in _join(chunks, self._next):
            if entries:
                await self._keep(start, entries)
            else:
                await self._look(start)
        return self.entry_count

    async def _keep(self, start: int | None, entries: list[Entry]) -> None:
        end = (self.entry_count if start is None else start) + len(entries)
        if end > self._max_entries:
            raise QuotaExceeded(
                f"a batch holds at most {self._max_entries} entries; start another one",
                subject="entries_per_batch",
            )
        self.entry_count = await self._store.append_entries(
            self._batch.tenant, self._batch.batch_id, start, entries
        )
        self._next = self.entry_count if start is None else end

    async def _look(self, start: int | None) -> None:
        batch = await self._store.get_batch(self._batch.tenant, self._batch.batch_id)
        self.entry_count = batch.entry_count
        self._next = start


def _join(chunks: Sequence[Taken], following: int | None) -> list[tuple[int | None, list[Entry]]]:
    """Join chunks that follow on each other into runs of (first index, entries)."""
    runs: list[tuple[int | None, list[Entry]]] = []
    for chunk in chunks:
        if runs:
            start, entries = runs[-1]
            end = None if start is None else start + len(entries)
            if chunk.offset is None or chunk.offset == end:
                entries += chunk.entries
                continue
        runs.append((following if chunk.offset is None else chunk.offset, list(chunk.entries)))
    return runs
