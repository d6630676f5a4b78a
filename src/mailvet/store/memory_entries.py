"""Batches selected, and entries read, found, counted, in the store that keeps nothing."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailvet.errors import NotFound
from mailvet.model.batch import Batch, BatchSpec, Entry, Removal
from mailvet.model.selection import Selection
from mailvet.model.status import BatchState, Deduplication
from mailvet.store import rules
from mailvet.store.base_entries import EntryCounts
from mailvet.store.memory_plan import has_wrong_phone
from mailvet.store.selection import select

if TYPE_CHECKING:
    from mailvet.store.memory_keeping import Kept


class MemoryEntries(ABC):
    """That part of the memory store."""

    _kept: "dict[tuple[str, str], Kept]"

    async def select_batches(
        self, tenant: str, selection: Selection, *, states: frozenset[BatchState] = frozenset()
    ) -> list[Batch]:
        """See `Store.select_batches`."""
        mine = [kept.batch for (owner, _), kept in self._kept.items() if owner == tenant]
        return select([one for one in mine if not states or one.state in states], selection)

    @abstractmethod
    def _get(self, tenant: str, batch_id: str) -> "Kept":
        """Return what is kept of a batch, or raise `NotFound`."""

    async def entries_at(self, tenant: str, batch_id: str, indexes: Sequence[int]) -> list[Entry]:
        """See `EntryStore.entries_at`."""
        entries = self._get(tenant, batch_id).entries
        return [entries[index] for index in indexes if index < len(entries)]

    async def find_custom(self, tenant: str, batch_id: str, custom: str) -> int:
        """See `EntryStore.find_custom`."""
        for index, entry in enumerate(self._get(tenant, batch_id).entries):
            if entry.custom == custom:
                return index
        raise NotFound("entry", f"{batch_id}/custom")

    async def count_entries(self, tenant: str, batch_id: str) -> EntryCounts:
        """See `EntryStore.count_entries`."""
        kept = self._get(tenant, batch_id)
        return counts_of(kept.entries, kept.batch.spec)

    async def rekey_entries(
        self, tenant: str, batch_id: str, start: int, keys: Sequence[int]
    ) -> None:
        """See `EntryStore.rekey_entries`."""
        kept = self._get(tenant, batch_id)
        rules.require_draft(kept.batch)
        for index, key in enumerate(keys[: len(kept.entries) - start], start):
            kept.entries[index] = kept.entries[index]._replace(key=key)

    async def relabel_entries(
        self, tenant: str, batch_id: str, start: int, labels: Sequence[str]
    ) -> None:
        """See `EntryStore.relabel_entries`."""
        kept = self._get(tenant, batch_id)
        rules.require_draft(kept.batch)
        for index, text in enumerate(labels[: len(kept.entries) - start], start):
            kept.entries[index] = kept.entries[index]._replace(labels=text)


def counts_of(entries: Sequence[Entry], spec: BatchSpec) -> EntryCounts:
    """Count entries, as the settings of their batch are."""
    removes = Removal.WRONG_PHONE in spec.removal
    seen: set[int] = set()
    unique = wrong = wrong_phone = 0
    for entry in entries:
        if has_wrong_phone(entry.labels):
            wrong_phone += 1
            if removes:
                continue
        if entry.key in seen:
            continue
        if entry.key and spec.deduplication is not Deduplication.OFF:
            seen.add(entry.key)
        unique += bool(entry.domain)
        wrong += not entry.domain
    removed = wrong_phone if removes else 0
    return EntryCounts(unique, len(entries) - unique - wrong - removed, wrong, removed, wrong_phone)
