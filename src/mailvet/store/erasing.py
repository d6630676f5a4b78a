"""The part of the store contract about erasing one address from everything a tenant has.

An entry that holds it loses its texts and keeps its place: indexes and sequences stay dense. A
result of such an entry keeps what is no personal data (status, classification, times); another
result that mentions it loses the mention. A worker that holds the entry loses its lease, so that
nothing it learnt comes back. A file that may hold it goes as a whole. It is gone from disk when
the call returns, as with a deleted batch.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from mailvet.model.batch import Entry, ResultRow

ERASED_TEXT = "[erased]"
"""What stands in the place of an entry's text: no address, so nobody is ever asked about it."""

ERASED_ENTRY = Entry(ERASED_TEXT, "", "", 0)


class Wanted(Protocol):
    """The address that is to go, and how it is recognised."""

    @property
    def domain(self) -> str:
        """In A-labels, as entries have it."""
        ...

    @property
    def spellings(self) -> tuple[str, ...]:
        """In lower case: where none of them is, `mentions` finds nothing."""
        ...

    def is_it(self, text: str) -> bool:
        """Whether a text, however it is written, is this mailbox."""
        ...

    def mentions(self, text: str) -> bool:
        """Whether a text has the address in it, and not just as a part of another."""
        ...

    def cleaned(self, text: str) -> str:
        """Return a text without the address."""
        ...

    def erased(self, row: ResultRow) -> ResultRow:
        """Return what is kept of a result about it."""
        ...

    def without(self, row: ResultRow) -> ResultRow:
        """Return another's result without mentions of it; the same object when there are none."""
        ...


@dataclass(slots=True)
class Erasure:
    """What was erased."""

    batch_ids: list[str]
    """Batches that had it in any place."""
    entry_count: int = 0
    result_count: int = 0
    """Results about it, and others that mentioned it."""
    file_count: int = 0


class Texts(NamedTuple):
    """What a caller wrote about a batch."""

    name: str
    description: str
    labels: str
    """As JSON."""


class Erasing(Protocol):
    """What the rooms above may ask of a store about one address."""

    async def erase_address(self, tenant: str, wanted: Wanted) -> Erasure:
        """Erase an address from every batch of a tenant, and from disk; safe to repeat."""
        ...


def holds(wanted: Wanted, entry: Entry) -> bool:
    """Whether any text of an entry has the address."""
    text, custom, domain, _, labels = entry
    if domain == wanted.domain and wanted.is_it(text):
        return True
    # What is another address is nobody's mention: `jim.bob@` is not `bob@`.
    spoken_of = not domain and (wanted.is_it(text) or wanted.mentions(text))
    return spoken_of or wanted.mentions(custom) or wanted.mentions(labels)


def rewritten(wanted: Wanted, rows: list[ResultRow], indexes: set[int]) -> int:
    """Take the address out of results in place; return in how many of them it was.

    `indexes` are the entries that had it.
    """
    changed = 0
    needles = [spelling.encode("utf-8", "surrogatepass") for spelling in wanted.spellings]
    for place, row in enumerate(rows):
        if row.entry_index in indexes:
            rows[place] = wanted.erased(row)
        elif any(needle in (row.doc + row.evidence).lower() for needle in needles):
            rows[place] = wanted.without(row)
        changed += rows[place] is not row
    return changed
