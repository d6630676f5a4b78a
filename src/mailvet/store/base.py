"""The store contract: what every store promises, in prose.

Acks. When a method that writes returns, the write is committed and flushed: it survives
`kill -9` and power loss (a memory store keeps the same promises while the process lives).

One result an entry. Work is claimed in chunks, under a lease and with a fence number. A
settlement with an old fence, or for a batch that no longer runs, changes nothing. The results of
a settlement, the counters, the sequence and what is left of the chunk are one transaction.

Order. `sequence` is dense in each batch, from 1, in commit order: reading after n gives n+1,
n+2, ... without gap or repeat, whatever is committed meanwhile.

Retries are durable: a deferral is a chunk with `run_at`, so a restart loses no wait.

Fairness. The priority 0-255 of a batch is relative speed inside the store (weighted fair queueing
stamps, written when work is queued), never strict order: a batch of weight 0 still advances, and
a small batch queued behind a large one starts at once.

Tenants. Every method for callers takes the tenant; a foreign id and a missing id look the same.

Deletion. A deleted batch is gone for every method at once, and from disk when the call returns.

Every method may raise `Unavailable` when the store cannot work now (disk full, locked).
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from mailvet.model.batch import (
    Batch,
    BatchSpec,
    Claim,
    Entry,
    EntryPlace,
    Progress,
    ResultFilter,
    ResultPage,
    Settlement,
)
from mailvet.model.ruling import TenantRules
from mailvet.model.selection import Selection
from mailvet.model.status import BatchState
from mailvet.store.accounting import Accounting
from mailvet.store.base_audit import AuditStore
from mailvet.store.base_callbacks import CallbackStore
from mailvet.store.base_entries import EntryStore
from mailvet.store.base_keys import KeyStore
from mailvet.store.base_uploads import UploadStore
from mailvet.store.erasing import Erasing
from mailvet.store.keeping import Keeping
from mailvet.store.steering import Steering

Seal = Callable[[int], bytes]
"""Returns what follows the bytes of a page that ends at a sequence; called in any thread."""


def unsealed(_sequence: int) -> bytes:
    """Return nothing: the bytes of a page stay as they are kept."""
    return b""


class Created(NamedTuple):
    """The batch of a create call; `replayed` when an earlier call with its request_id made it."""

    batch: Batch
    replayed: bool


class WorkStore(Protocol):
    """What engines ask of a store; also of one in another process (`store.piped`)."""

    async def plan_launched(self) -> int:
        """Cut every launched batch that has no chunks yet into chunks; return how many batches.

        Duplicates (same key, as the batch's settings say which is kept) and entries without a
        domain go to chunks of their own, but for those that are to be removed; the rest is cut
        in order of domain, so that a chunk has few domains. A batch of which nothing is left is
        COMPLETED. Safe to repeat after a crash at any point.
        """
        ...

    async def claim(self, owner: str, *, max_entries: int) -> list[Claim]:
        """Claim ready chunks, fairest first, until `max_entries` is reached or exceeded.

        At least one chunk is returned when one is ready; but of those over which processes died
        one is out at a time, by itself (`store.suspects`).
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Commit what was learnt, all in one transaction; True for each that still held its fence.

        Results get the next sequence numbers of their batch, and are charged. Deferred entries
        leave the chunk for a new one with `attempt` one higher. A chunk with nothing left is gone.
        When the last entry of a batch has its result, the batch is COMPLETED in the same
        transaction, and its callback is due.
        """
        ...

    async def heartbeat(self, owner: str, chunks: Collection[int]) -> frozenset[int]:
        """Extend the leases that `owner` has of these chunks; return the keys of their batches.

        A worker drops what it holds of any other batch: it was cancelled or deleted. It names its
        chunks because it does not know of one whose claim took effect and then failed: the lease
        of that one has to end.
        """
        ...

    async def reap(self) -> int:
        """Make chunks whose lease ran out ready again; return how many."""
        ...

    async def let_go(self, owner: str, *, died: bool = False) -> int:
        """Make the chunks of an owner ready again that is known to be gone; return how many.

        With `died`, it may have been over one of them.
        """
        ...

    async def next_run_at(self) -> float | None:
        """Return when the earliest unclaimed chunk becomes ready, None when there is none."""
        ...

    async def work_signal(self, *, after: int, timeout_s: float) -> int:
        """As `changed`, for new work: a launch, a deferral or a reaped chunk."""
        ...

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """Say (or with None take back) that something holds up all work, such as a closed port."""
        ...

    async def get_rules(self, tenant: str) -> TenantRules:
        """Return what a tenant has set; with revision 0 when it never did."""
        ...


class Store(
    Keeping,
    Accounting,
    Erasing,
    Steering,
    WorkStore,
    UploadStore,
    EntryStore,
    KeyStore,
    AuditStore,
    CallbackStore,
    Protocol,
):
    """Everything the rooms above may ask of a store."""

    @property
    def epoch(self) -> int:
        """Changes when the store was restored from a backup: older cursors are then refused."""
        ...

    @property
    def secret(self) -> bytes:
        """32 random bytes made with the store, for signing cursors and page tokens."""
        ...

    # Batches, for callers

    async def create_batch(
        self,
        tenant: str,
        batch_id: str,
        spec: BatchSpec,
        entries: Sequence[Entry] = (),
        *,
        launch: bool = False,
        request_id: str = "",
        request_hash: bytes = b"",
    ) -> Created:
        """Create a batch with its first entries, launched or not, in one transaction.

        A request_id that this tenant used before returns that batch as it is now when the hash
        is the same, else raises `RequestIdReused`; both only as long as that batch exists. A
        batch_id this tenant has already raises `AlreadyExists`, a batch too many or entries beyond
        the tenant's storage `QuotaExceeded`, a launch as `launch_batch`.
        """
        ...

    async def append_entries(
        self, tenant: str, batch_id: str, offset: int | None, entries: Sequence[Entry]
    ) -> int:
        """Append entries to a DRAFT batch; return how many it keeps now.

        `offset` is the index of the first entry, None the end. Entries below the end are kept
        already and skipped; an offset beyond it raises `OffsetGap`. Raises `NotFound`,
        `QuotaExceeded` when the tenant's storage is full, and `WrongState` when the batch is no
        DRAFT (but a repeat that is entirely below the end succeeds in any state: its ack was
        lost, not the entries).
        """
        ...

    async def launch_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """Move a DRAFT batch to RUNNING and return it; a RUNNING one is returned as it is.

        Raises `NotFound`, `WrongState` when it is paused, ended or has no entries,
        `EtagMismatch` when an etag is given and the draft has another one, and
        `InsufficientBalance` when it may cost more than its tenant may spend.
        """
        ...

    async def cancel_batch(self, tenant: str, batch_id: str) -> Batch:
        """Move a batch to CANCELLED and drop its chunks; one that ended is returned as it is."""
        ...

    async def delete_batch(self, tenant: str, batch_id: str, *, force: bool, etag: str = "") -> int:
        """Erase a batch and return how many entries it had.

        Raises `NotFound`, `WrongState` when it is RUNNING or PAUSED and `force` is False, and
        `EtagMismatch` when an etag is given and the batch has another one.
        """
        ...

    async def get_batch(self, tenant: str, batch_id: str) -> Batch:
        """Return a batch or raise `NotFound`: as `Erased` when this tenant's was there once."""
        ...

    async def progress(self, tenant: str, batch_id: str) -> tuple[Batch, Progress]:
        """Return a batch and how it stands, from one snapshot."""
        ...

    async def select_batches(
        self, tenant: str, selection: Selection, *, states: frozenset[BatchState] = frozenset()
    ) -> list[Batch]:
        """Return the batches that a selection selects, in its order; only of these states."""
        ...

    async def list_batches(
        self,
        tenant: str,
        *,
        states: frozenset[BatchState] = frozenset(),
        before_key: int | None = None,
        limit: int = 50,
    ) -> list[Batch]:
        """Return batches with a key below `before_key`, the newest (largest key) first."""
        ...

    # Results, for callers

    async def results_after(
        self,
        tenant: str,
        batch_id: str,
        sequence: int,
        *,
        limit: int,
        where: ResultFilter | None = None,
    ) -> ResultPage:
        """Return up to `limit` results after `sequence`, in order, from one snapshot.

        With a filter the page may be empty and still move `sequence` forward: a call reads a
        bounded number of rows, however few of them pass.
        """
        ...

    async def page_start(
        self, tenant: str, batch_id: str, sequence: int, *, limit: int, where: ResultFilter
    ) -> int:
        """Return after which sequence the last `limit` results up to `sequence` begin that pass.

        0 when there are fewer; a later one when a bounded number of rows holds fewer.
        """
        ...

    async def joined_after(
        self,
        tenant: str,
        batch_id: str,
        sequence: int,
        *,
        limit: int,
        max_bytes: int,
        pages: int = 1,
        seal: Seal = unsealed,
    ) -> list[ResultPage]:
        """Return what `results_after` returns without a filter, as stored bytes side by side.

        Those of a page that is not the last of the log are followed by what `seal` returns.

        Up to `pages` pages that follow on each other are read in one snapshot; there is at least
        one, and none is begun behind `rules.AHEAD_BYTES`. A page has `limit` results, fewer where
        it would have more than `max_bytes` (one result always fits) or the log ends.
        """
        ...

    async def result_of(self, tenant: str, batch_id: str, index: int) -> EntryPlace:
        """Return one entry's result or when it is tried again; `NotFound` if no such entry."""
        ...

    async def changed(self, batch_key: int, *, after: int, timeout_s: float) -> int:
        """Wait until the batch changed after revision `after`, or the time is over.

        Returns the current revision (any int; 0 is before everything). Spurious returns are
        allowed, a lost change is not. Deleting, cancelling and finishing are changes.
        """
        ...

    async def hindrances(self) -> list[tuple[str, str]]:
        """Return what holds up all work now, as (kind, detail)."""
        ...

    # What tenants decide themselves

    async def put_rules(
        self, tenant: str, rules: TenantRules, *, over: int | None = None
    ) -> TenantRules:
        """Keep rules in place of those that are there; return them with their revision and time.

        With `over` only in place of that revision; raises `EtagMismatch` for another one. Claims
        made afterwards carry the new rules.
        """
        ...

    async def close(self) -> None:
        """Finish what was queued and let go of everything."""
        ...
