"""The store contract for the entries of a batch, beside the work on them: read, found, counted."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mailvet.model.batch import Entry


class EntryCounts(NamedTuple):
    """What the entries of a batch are; the first four add up to all of them."""

    unique: int
    """To be verified."""
    duplicates: int
    """Answered with another entry, as the batch's settings recognise them."""
    wrong: int
    """No addresses, by syntax or their provider's rules; each counts once, then as a duplicate."""
    removed_phone: int = 0
    """Removed because of their phone number; none of them is in another of these counts."""
    wrong_phone: int = 0
    """All whose phone number is none, removed or not."""


class EntryStore(Protocol):
    """What rooms above may ask of a store about entries; every method raises `NotFound`."""

    async def entries_at(
        self, tenant: str, batch_id: str, indexes: Sequence[int]
    ) -> Sequence[Entry]:
        """Return the entries of these indexes, in their order; those that are not there are not."""
        ...

    async def find_custom(self, tenant: str, batch_id: str, custom: str) -> int:
        """Return the index of the first entry with a caller's own key; `NotFound` when none has it.

        It looks through the entries: a tenth of a second for a million.
        """
        ...

    async def count_entries(self, tenant: str, batch_id: str) -> EntryCounts:
        """Count the entries of a batch, as its settings are now."""
        ...

    async def rekey_entries(
        self, tenant: str, batch_id: str, start: int, keys: Sequence[int]
    ) -> None:
        """Give the entries from `start` on new duplicates keys; `WrongState` unless a DRAFT."""
        ...

    async def relabel_entries(
        self, tenant: str, batch_id: str, start: int, labels: Sequence[str]
    ) -> None:
        """Give the entries from `start` on new labels; `WrongState` unless a DRAFT."""
        ...
