"""What a dialect is: whose words, which columns, and what stands around the records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from mailvet.files.plain import Found, Record


class Duplicates(StrEnum):
    """What becomes of an entry that repeats another."""

    STAND = "STAND"
    """It stands as a duplicate that points to the other."""
    REPEAT = "REPEAT"
    """It has the other's answer."""
    DROP = "DROP"
    """It is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """What an envelope may say about the batch."""

    batch_id: str = ""
    state: str = ""
    create_time: str = ""
    """RFC 3339."""


@dataclass(slots=True)
class Tally:
    """What an envelope may say behind the records."""

    count: int = 0
    unique: int = 0
    """Without duplicates."""
    first_time: str = ""
    """RFC 3339, without its zone."""
    last_time: str = ""

    def add(self, found: Found) -> None:
        """Count one result."""
        self.count += 1
        self.unique += found["duplicate_of"] is None
        time = (found["complete_time"] or "").removesuffix("Z")  # which sorts behind a fraction
        self.first_time = min(self.first_time or time, time or self.first_time)
        self.last_time = max(self.last_time, time)

    @property
    def duration_ms(self) -> int:
        """From the first answer to the last."""
        if not self.first_time:
            return 0
        first, last = map(datetime.fromisoformat, (self.first_time, self.last_time))
        return round((last - first).total_seconds() * 1000)


def _nothing_before(_: BatchFacts) -> Mapping[str, Any]:
    return {}


def _nothing_behind(_: Tally) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One way to say results."""

    name: str
    columns: tuple[str, ...]
    """Of a table; a dotted name reaches into a record."""
    record: Callable[[Found], Record | None]
    """Says one result; None leaves it out."""
    items: str = ""
    """The name the JSON array of records stands under; empty: it stands alone."""
    before: Callable[[BatchFacts], Mapping[str, Any]] = field(default=_nothing_before)
    """Fields before the array."""
    behind: Callable[[Tally], Mapping[str, Any]] = field(default=_nothing_behind)
    """Fields behind the array."""
    xml_root: str = "results"
    xml_item: str = "result"
    duplicates: Duplicates = Duplicates.STAND
    additions: tuple[str, ...] = ()
    """Columns that are added to an uploaded file; empty when that is not this dialect's way."""
