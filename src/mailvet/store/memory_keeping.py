"""What a memory store keeps of batches, how much it is, and what is left of erased ones."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailvet.errors import NotFound
from mailvet.model.batch import Batch, Entry, ResultRow, UploadedFile
from mailvet.model.keeping import TOMBSTONE_S, DataPolicy, Tombstone
from mailvet.store.keeping import bytes_of, missing, require_room

DEFAULT_POLICY = DataPolicy()


@dataclass(slots=True)
class Kept:
    """Everything of one batch."""

    batch: Batch
    entries: list[Entry]
    request_id: str
    request_hash: bytes
    results: list[ResultRow] = field(default_factory=list)
    by_entry: dict[int, ResultRow] = field(default_factory=dict)
    planned: bool = False
    stored_bytes: int = 0
    reserved_halves: int = 0
    """What it may still cost, of a limited tenant."""
    upload: UploadedFile | None = None
    parts: list[bytes] = field(default_factory=list)


class MemoryKeeping(ABC):
    """The part of a memory store that answers `Keeping`."""

    def __init__(
        self, clock: Callable[[], float], storage_limit_bytes: int, batch_limit: int
    ) -> None:
        self.batch_limit = batch_limit
        """See `Keeping.batch_limit`."""
        self.storage_limit_bytes = storage_limit_bytes
        """See `Keeping.storage_limit_bytes`."""
        self._clock = clock
        self._kept: dict[tuple[str, str], Kept] = {}
        self._tombstones: dict[tuple[str, str], Tombstone] = {}
        self._policies: dict[str, DataPolicy] = {}

    @abstractmethod
    def _erase(self, kept: Kept) -> None:
        """Take a batch away and leave its tombstone."""

    def _bury(self, batch: Batch) -> None:
        del self._kept[batch.tenant, batch.batch_id]
        stone = Tombstone(self._clock(), batch.entry_count)
        self._tombstones[batch.tenant, batch.batch_id] = stone

    def _missing(self, tenant: str, batch_id: str) -> NotFound:
        return missing(batch_id, self._tombstones.get((tenant, batch_id)))

    def _take_room(self, tenant: str, new: Sequence[Entry]) -> int:
        """Return how much entries take, or raise `QuotaExceeded`."""
        return self._take_bytes(tenant, bytes_of(new)) if new else 0

    def _take_bytes(self, tenant: str, size: int) -> int:
        require_room(self._stored(tenant), size, self.storage_limit_bytes)
        return size

    def _stored(self, tenant: str) -> int:
        mine = (kept for (owner, _), kept in self._kept.items() if owner == tenant)
        return sum(kept.stored_bytes for kept in mine)

    async def stored_bytes(self, tenant: str) -> int:
        """See `Keeping.stored_bytes`."""
        return self._stored(tenant)

    async def count_batches(self, tenant: str) -> int:
        """See `Keeping.count_batches`."""
        return sum(owner == tenant for owner, _ in self._kept)

    async def sweep(self) -> int:
        """See `Keeping.sweep`."""
        now = self._clock()
        due = [
            kept
            for kept in self._kept.values()
            if kept.batch.expire_time is not None and kept.batch.expire_time <= now
        ]
        for kept in due:
            self._erase(kept)
        old = [key for key, one in self._tombstones.items() if one.erase_time <= now - TOMBSTONE_S]
        for key in old:
            del self._tombstones[key]
        return len(due)

    async def get_data_policy(self, tenant: str) -> DataPolicy:
        """See `Keeping.get_data_policy`."""
        return self._policies.get(tenant, DEFAULT_POLICY)

    async def put_data_policy(self, tenant: str, policy: DataPolicy) -> DataPolicy:
        """See `Keeping.put_data_policy`."""
        self._policies[tenant] = policy
        return policy
