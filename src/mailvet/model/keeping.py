"""For how long a tenant's data is kept, how much of it, and what is left when it is erased."""

from dataclasses import dataclass
from typing import NamedTuple

MIN_RETENTION_S = 5 * 60.0
"""Time to read the results of a batch after it ended; less, and a slow reader finds nothing."""
MAX_RETENTION_S = 30 * 86_400.0
"""A month: lists are worked on for days, and addresses of people are not to lie around."""
DEFAULT_RETENTION_S = MAX_RETENTION_S

STORAGE_LIMIT_BYTES = 5 * 1024**3
"""Some ten million entries with their results."""

BATCH_LIMIT = 10_000
"""Batches of a tenant: three hundred a day for a month. Lists of them are read in one piece."""

TOMBSTONE_S = 90 * 86_400.0
"""For how long it is told that a batch was erased: longer than anybody's backlog of letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPolicy:
    """What a tenant has set for the data it will bring."""

    retention_s: float = DEFAULT_RETENTION_S
    """After the end of a batch that says nothing itself."""


class Tombstone(NamedTuple):
    """All that is left of an erased batch."""

    erase_time: float
    entry_count: int
