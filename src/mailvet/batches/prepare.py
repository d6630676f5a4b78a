"""The clean-up pass before a launch: what the entries are under settings, and what they cost.

Duplicates are recognised by keys that were made when the entries came; another way to recognise
them needs other keys. While they are made the batch has none, so that a pass that is cut off
leaves a batch in which nothing is taken for a duplicate wrongly.
"""

from typing import Any, NamedTuple

from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.phones import Phones, look_at_phones
from mailvet.errors import EtagMismatch, Unavailable
from mailvet.model.batch import Batch, Removal
from mailvet.model.quality import COST_UNITS
from mailvet.model.status import Deduplication
from mailvet.store import rules
from mailvet.store.base import Store
from mailvet.store.base_entries import EntryCounts
from mailvet.store.steering import SpecChanges

PAGE = 2_000
"""Entries that get their keys in one transaction: some ten milliseconds."""
MAX_ROUNDS = 5
"""How often entries that come meanwhile are followed."""


class Prepare(NamedTuple):
    """What a caller asks for."""

    changes: SpecChanges
    phone_column: str = ""
    """The label with phone numbers to look at; empty for none."""
    phone_country: str = ""
    """Of numbers without a country code; empty for the one the batch is aimed at."""


class Prepared(NamedTuple):
    """A draft with its settings, and what a launch would mean."""

    batch: Batch
    counts: EntryCounts

    @property
    def cost(self) -> int:
        """In units; what is no address, a duplicate or removed costs nothing."""
        return self.counts.unique * COST_UNITS[self.batch.spec.quality]

    @property
    def removed(self) -> int:
        """How many entries the launch will remove."""
        removal, counts = self.batch.spec.removal, self.counts
        return (
            counts.removed_phone
            + (counts.duplicates if Removal.DUPLICATES in removal else 0)
            + (counts.wrong if Removal.WRONG_FORMAT in removal else 0)
        )


class Preparation:
    """Prepares the drafts of every tenant."""

    def __init__(self, store: Store, intake: Intake) -> None:
        self._store = store
        self._intake = intake

    async def prepare(
        self, tenant: str, batch_id: str, asked: Prepare, *, etag: str = ""
    ) -> Prepared:
        """Change settings of a draft and count what it is under them; repeat it as you like.

        Raises `NotFound`, `WrongState` unless a DRAFT, `EtagMismatch`, and `InvalidRequest` when
        there is no such column of phone numbers.
        """
        changes = asked.changes
        rules.require_draft(await self._store.get_batch(tenant, batch_id))
        batch = await self._store.update_batch(tenant, batch_id, _first(changes), etag=etag)
        if asked.phone_column:
            country = asked.phone_country or batch.spec.targeting.country
            phones = Phones(asked.phone_column, country)
            await look_at_phones(self._store, batch, phones)
        mode = changes.get("deduplication")
        if mode is not None:
            batch = await self._rekey(batch, mode)
        return Prepared(batch, await self._store.count_entries(tenant, batch_id))

    async def _rekey(self, batch: Batch, mode: Deduplication) -> Batch:
        done = 0
        for _ in range(MAX_ROUNDS):
            while done < batch.entry_count:
                done += await self._rekey_page(batch, done, mode)
            try:
                return await self._store.update_batch(
                    batch.tenant, batch.batch_id, {"deduplication": mode}, etag=batch.etag
                )
            except EtagMismatch:  # entries came meanwhile
                batch = await self._store.get_batch(batch.tenant, batch.batch_id)
        raise Unavailable("entries keep coming; prepare the batch when it has all of them")

    async def _rekey_page(self, batch: Batch, start: int, mode: Deduplication) -> int:
        indexes = range(start, min(start + PAGE, batch.entry_count))
        kept = await self._store.entries_at(batch.tenant, batch.batch_id, indexes)
        raws = [RawEntry(entry.input_data, entry.custom) for entry in kept]
        entries = await self._intake.take(raws, mode, bare_domains=batch.spec.bare_domains)
        keys = [entry.key for entry in entries]
        await self._store.rekey_entries(batch.tenant, batch.batch_id, start, keys)
        return len(indexes)


def _first(changes: SpecChanges) -> dict[str, Any]:
    """The changes that hold while new keys are made."""
    if "deduplication" not in changes:
        return dict(changes)
    return {**changes, "deduplication": Deduplication.OFF}
