"""Work in the memory store: what was launched is planned, claimed under a lease, and settled."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from mailvet.model.batch import Claim, ResultRow, Settlement
from mailvet.model.ruling import NO_RULES, TenantRules
from mailvet.model.status import BatchState
from mailvet.model.usage import Charge, day_of, foreseen_halves, usage_of
from mailvet.store.changes import WORK, Changes
from mailvet.store.memory_keeping import Kept
from mailvet.store.memory_plan import plan
from mailvet.store.memory_queue import Queue


class MemoryWork(ABC):
    """The part of the memory store that answers `WorkStore`."""

    _kept: dict[tuple[str, str], Kept]
    _rules: dict[str, TenantRules]
    _changes: Changes
    _clock: Callable[[], float]

    def __init__(self, lease_clock: Callable[[], float], lease_s: float, chunk_size: int) -> None:
        self._lease_clock = lease_clock
        self._lease_s = lease_s
        self._chunk_size = chunk_size
        self._queue = Queue()

    @abstractmethod
    def _move(self, kept: Kept, state: BatchState) -> None:
        """Have a batch begin or end."""

    @abstractmethod
    def _charge(self, one: Charge) -> None:
        """Put what results cost on the tenant's account."""

    async def plan_launched(self) -> int:
        """See `Store.plan_launched`."""
        launched = [
            kept
            for kept in self._kept.values()
            if kept.batch.state is BatchState.RUNNING and not kept.planned
        ]
        for kept in launched:
            cuts = plan(kept.entries, kept.batch.spec, chunk_size=self._chunk_size)
            left = sum(len(one.indexes) for one in cuts)
            kept.batch = replace(kept.batch, removed_count=len(kept.entries) - left)
            kept.planned = True
            if not left:
                self._move(kept, BatchState.COMPLETED)
                continue
            self._queue.add(kept.batch, kept.entries, cuts, now=self._clock())
            self._changes.note([kept.batch.key, WORK])
        return len(launched)

    async def claim(self, owner: str, *, max_entries: int) -> list[Claim]:
        """See `Store.claim`."""
        claims = self._queue.claim(
            owner,
            max_entries=max_entries,
            now=self._clock(),
            lease_until=self._lease_clock() + self._lease_s,
        )
        return [
            replace(claim, tenant_rules=self._rules.get(claim.tenant, NO_RULES)) for claim in claims
        ]

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """See `Store.settle`."""
        return [self._settle(settlement) for settlement in settlements]

    def _settle(self, settlement: Settlement) -> bool:
        parts = self._queue.settle(settlement, now=self._clock())
        if parts is None:
            return False
        kept = next(k for k in self._kept.values() if k.batch.key == settlement.claim.batch_key)
        kept.results += parts.results
        kept.stored_bytes += sum(len(row.doc) + len(row.evidence) for row in parts.results)
        kept.by_entry.update((row.entry_index, row) for row in parts.results)
        self._account(kept, parts.results, settlement)
        if len(kept.results) == len(kept.entries) - kept.batch.removed_count:
            self._move(kept, BatchState.COMPLETED)
        self._changes.note([kept.batch.key, *([WORK] if parts.deferrals else [])])
        return True

    def _account(self, kept: Kept, rows: Sequence[ResultRow], settlement: Settlement) -> None:
        if not rows:
            return
        statuses = list(Counter(row.status for row in rows).items())
        quality = settlement.claim.quality
        cached = [row.status for row in rows if row.entry_index in settlement.recalled]
        foreseen = foreseen_halves(statuses, quality)
        kept.reserved_halves = max(0, kept.reserved_halves - foreseen)
        usage = usage_of(statuses, quality, cached)
        self._charge(Charge(kept.batch.tenant, day_of(self._clock()), usage))

    async def heartbeat(self, owner: str, chunks: Collection[int]) -> frozenset[int]:
        """See `Store.heartbeat`."""
        lease_until = self._lease_clock() + self._lease_s
        return self._queue.heartbeat(owner, chunks, lease_until=lease_until)

    async def reap(self) -> int:
        """See `Store.reap`."""
        reaped = self._queue.reap(now=self._lease_clock())
        self._changes.note([WORK] if reaped else [])
        return reaped

    async def let_go(self, owner: str, *, died: bool = False) -> int:
        """See `WorkStore.let_go`."""
        ready = self._queue.let_go(owner, died=died)
        self._changes.note([WORK] if ready else [])
        return ready

    async def next_run_at(self) -> float | None:
        """See `Store.next_run_at`."""
        return self._queue.next_run_at()

    async def work_signal(self, *, after: int, timeout_s: float) -> int:
        """See `Store.work_signal`."""
        return await self._changes.changed(WORK, after=after, timeout_s=timeout_s)
