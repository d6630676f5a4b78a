"""The part of the store contract about keeping and erasing: retention, storage, what is left.

Retention runs from the end of a batch; a sweep erases what is due, and no method is needed to make
that final: erased means gone from disk, as with a delete. What is left is a tombstone with a time
and a count, found by a keyed hash of tenant and id, never by the id itself.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Protocol

from mailvet.errors import Erased, NotFound, QuotaExceeded
from mailvet.model.batch import Entry
from mailvet.model.keeping import DataPolicy, Tombstone

ENTRY_BYTES = 32
"""What an entry takes in the store beside its texts: its row, its key, its place in a chunk."""

STORAGE_SUBJECT = "storage_bytes_per_tenant"
BATCHES_SUBJECT = "batches_per_tenant"


class Keeping(Protocol):
    """What the rooms above may ask of a store about keeping."""

    async def sweep(self) -> int:
        """Erase every batch whose retention is over, for good; return how many there were."""
        ...

    async def stored_bytes(self, tenant: str) -> int:
        """Return how much a tenant's batches hold: texts of entries, results, uploads."""
        ...

    @property
    def storage_limit_bytes(self) -> int:
        """How much a tenant's batches may hold.

        Entries beyond it are refused with `QuotaExceeded`; results are always kept.
        """
        ...

    @property
    def batch_limit(self) -> int:
        """How many batches a tenant may have; one more is refused with `QuotaExceeded`."""
        ...

    async def count_batches(self, tenant: str) -> int:
        """Return how many batches a tenant has, ended ones too."""
        ...

    async def get_data_policy(self, tenant: str) -> DataPolicy:
        """Return what a tenant has set, or what holds when it never did."""
        ...

    async def put_data_policy(self, tenant: str, policy: DataPolicy) -> DataPolicy:
        """Keep a tenant's policy and return it; batches that are there keep their own."""
        ...


def mark_of(secret: bytes, tenant: str, batch_id: str) -> bytes:
    """Return what the tombstone of a batch is found by."""
    text = f"{tenant}\0{batch_id}".encode()
    return blake2b(text, digest_size=16, key=secret, person=b"tombstones").digest()


def missing(batch_id: str, tombstone: Tombstone | None) -> NotFound:
    """Return what to raise about a batch that is not there."""
    if tombstone is None:
        return NotFound("batch", batch_id)
    moment = datetime.fromtimestamp(int(tombstone.erase_time), UTC)
    time = moment.isoformat().replace("+00:00", "Z")
    return Erased("batch", batch_id, erase_time=time, entry_count=tombstone.entry_count)


def bytes_of(entries: Sequence[Entry]) -> int:
    """Return about how many bytes entries take, counting a character as one."""
    if not entries:
        return 0
    texts, customs, domains, _, labels = zip(*entries, strict=True)
    return bytes_by_column(texts, customs, domains, labels)


def bytes_by_column(texts: Sequence[str], *others: Sequence[str]) -> int:
    """As `bytes_of`, of all texts of entries by column."""
    size = sum([len("".join(column)) for column in (texts, *others)])
    return size + ENTRY_BYTES * len(texts)


def require_room(stored: int, new: int, limit: int) -> None:
    """Raise `QuotaExceeded` when what a tenant stores would exceed its limit."""
    if stored + new > limit:
        raise QuotaExceeded(
            f"{stored:,} of {limit:,} bytes are stored and {new:,} more would be too many: delete"
            " batches that are no longer needed, or give them a shorter retention",
            subject=STORAGE_SUBJECT,
        )


def require_batch_room(count: int, limit: int) -> None:
    """Raise `QuotaExceeded` when a tenant that has `count` batches may have no other one."""
    if count >= limit:
        raise QuotaExceeded(
            f"there are {count:,} batches, the most there may be: delete those that are no longer"
            " needed, or give them a shorter retention",
            subject=BATCHES_SUBJECT,
        )
