"""The store that keeps nothing: the whole contract in plain Python, for tests and try-outs."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from mailvet.errors import AlreadyExists
from mailvet.model.access import ApiKey
from mailvet.model.audit import AuditRow
from mailvet.model.batch import Batch, BatchSpec, Entry, Progress
from mailvet.model.keeping import BATCH_LIMIT, STORAGE_LIMIT_BYTES
from mailvet.model.ruling import NO_RULES, TenantRules
from mailvet.model.status import BatchState
from mailvet.store import rules
from mailvet.store.base import Created
from mailvet.store.changes import WORK, Changes
from mailvet.store.keeping import require_batch_room
from mailvet.store.memory_accounting import MemoryAccounting
from mailvet.store.memory_audit import MemoryAudit
from mailvet.store.memory_callbacks import MemoryCallbacks
from mailvet.store.memory_entries import MemoryEntries, counts_of
from mailvet.store.memory_erasing import MemoryErasing
from mailvet.store.memory_keeping import Kept, MemoryKeeping
from mailvet.store.memory_keys import MemoryKeys
from mailvet.store.memory_results import MemoryResults
from mailvet.store.memory_steering import MemorySteering
from mailvet.store.memory_uploads import MemoryUploads
from mailvet.store.memory_work import MemoryWork
from mailvet.store.rules import next_revision

LEASE_S = 30.0
"""As the SQLite store."""

CHUNK_SIZE = 256
"""As the SQLite store."""


class MemoryStore(
    MemoryKeeping,
    MemoryAccounting,
    MemoryErasing,
    MemorySteering,
    MemoryWork,
    MemoryResults,
    MemoryUploads,
    MemoryEntries,
    MemoryKeys,
    MemoryAudit,
    MemoryCallbacks,
):
    """A store that lives as long as its process."""

    epoch = 1

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        lease_clock: Callable[[], float] = time.monotonic,
        lease_s: float = LEASE_S,
        chunk_size: int = CHUNK_SIZE,
        storage_limit_bytes: int = STORAGE_LIMIT_BYTES,
        batch_limit: int = BATCH_LIMIT,
    ) -> None:
        MemoryKeeping.__init__(self, clock, storage_limit_bytes, batch_limit)
        MemoryAccounting.__init__(self)
        MemoryWork.__init__(self, lease_clock, lease_s, chunk_size)
        self.secret = secrets.token_bytes(32)
        self._last_key = 0
        self._changes = Changes()
        self._hindrances: dict[str, str] = {}
        self._keys: dict[str, ApiKey] = {}
        self._audit: list[AuditRow] = []
        self._rules: dict[str, TenantRules] = {}

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
        """See `Store.create_batch`."""
        earlier = self._of_request(tenant, request_id)
        if earlier is not None:
            same = earlier.request_hash == request_hash
            return rules.replay(earlier.batch, request_id, same=same)
        if (tenant, batch_id) in self._kept:
            raise AlreadyExists("batch", batch_id)
        require_batch_room(await self.count_batches(tenant), self.batch_limit)
        batch = Batch(
            key=self._last_key + 1,
            tenant=tenant,
            batch_id=batch_id,
            spec=spec,
            state=BatchState.DRAFT,
            entry_count=len(entries),
            create_time=self._clock(),
        )
        if launch:
            rules.require_launchable(batch)
        size = self._take_room(tenant, entries)
        if launch:
            self._reserve_for_batch(batch, counts_of(entries, spec).unique)  # or nothing is made
        self._last_key = batch.key
        self._kept[tenant, batch_id] = Kept(
            batch, list(entries), request_id, request_hash, stored_bytes=size
        )
        self._changes.note([batch.key])
        if launch:
            batch = await self.launch_batch(tenant, batch_id)
        return Created(batch, replayed=False)

    def _of_request(self, tenant: str, request_id: str) -> Kept | None:
        if not request_id:
            return None
        mine = (kept for (owner, _), kept in self._kept.items() if owner == tenant)
        return next((kept for kept in mine if kept.request_id == request_id), None)

    def _get(self, tenant: str, batch_id: str) -> Kept:
        kept = self._kept.get((tenant, batch_id))
        if kept is None:
            raise self._missing(tenant, batch_id)
        return kept

    def _move(self, kept: Kept, state: BatchState) -> None:
        now, revision = self._clock(), kept.batch.revision + (state is not BatchState.COMPLETED)
        if state is BatchState.RUNNING:
            kept.batch = replace(kept.batch, state=state, launch_time=now, revision=revision)
            self._changes.note([WORK])
        else:
            calls = kept.batch.calls
            if kept.batch.spec.callback is not None:
                calls = calls._replace(next_time=now)
            kept.batch = replace(
                kept.batch, state=state, end_time=now, revision=revision, calls=calls
            )
            kept.reserved_halves = 0
            self._queue.drop(kept.batch.key)
        self._changes.note([kept.batch.key])

    async def append_entries(
        self, tenant: str, batch_id: str, offset: int | None, entries: Sequence[Entry]
    ) -> int:
        """See `Store.append_entries`."""
        kept = self._get(tenant, batch_id)
        new = rules.new_entries(kept.batch, offset, entries)
        if new:
            kept.stored_bytes += self._take_room(tenant, new)
            kept.entries += new
            kept.batch = replace(kept.batch, entry_count=len(kept.entries))
            self._changes.note([kept.batch.key])
        return len(kept.entries)

    async def launch_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Store.launch_batch`."""
        kept = self._get(tenant, batch_id)
        if kept.batch.state is not BatchState.RUNNING:
            rules.require_etag(kept.batch, etag)
            rules.require_launchable(kept.batch)
            unique = counts_of(kept.entries, kept.batch.spec).unique
            kept.reserved_halves = self._reserve_for_batch(kept.batch, unique)
            self._move(kept, BatchState.RUNNING)
        return kept.batch

    async def cancel_batch(self, tenant: str, batch_id: str) -> Batch:
        """See `Store.cancel_batch`."""
        kept = self._get(tenant, batch_id)
        if rules.can_end(kept.batch):
            self._move(kept, BatchState.CANCELLED)
        return kept.batch

    async def delete_batch(self, tenant: str, batch_id: str, *, force: bool, etag: str = "") -> int:
        """See `Store.delete_batch`."""
        kept = self._get(tenant, batch_id)
        rules.require_etag(kept.batch, etag)
        rules.require_deletable(kept.batch, force=force)
        self._erase(kept)
        return kept.batch.entry_count

    def _erase(self, kept: Kept) -> None:
        self._bury(kept.batch)
        self._queue.drop(kept.batch.key)
        self._changes.note([kept.batch.key])

    async def get_batch(self, tenant: str, batch_id: str) -> Batch:
        """See `Store.get_batch`."""
        return self._get(tenant, batch_id).batch

    async def progress(self, tenant: str, batch_id: str) -> tuple[Batch, Progress]:
        """See `Store.progress`."""
        kept = self._get(tenant, batch_id)
        waiting = [
            chunk
            for chunk in self._queue.of_batch(kept.batch.key)
            if chunk.stamp is None and chunk.run_at > self._clock()
        ]
        return kept.batch, Progress(
            entry_count=len(kept.entries),
            removed_count=kept.batch.removed_count,
            result_count=len(kept.results),
            waiting_count=sum(len(chunk.indexes) for chunk in waiting),
            active_count=self._queue.active(kept.batch.key),
            next_attempt_at=min((chunk.run_at for chunk in waiting), default=None),
            statuses=Counter(row.status for row in kept.results),
            classifications=Counter(row.classification for row in kept.results),
            stored_bytes=kept.stored_bytes,
        )

    async def list_batches(
        self,
        tenant: str,
        *,
        states: frozenset[BatchState] = frozenset(),
        before_key: int | None = None,
        limit: int = 50,
    ) -> list[Batch]:
        """See `Store.list_batches`."""
        found = [
            kept.batch
            for (owner, _), kept in self._kept.items()
            if owner == tenant
            and (not states or kept.batch.state in states)
            and (before_key is None or kept.batch.key < before_key)
        ]
        return sorted(found, key=lambda batch: -batch.key)[:limit]

    async def changed(self, batch_key: int, *, after: int, timeout_s: float) -> int:
        """See `Store.changed`."""
        return await self._changes.changed(batch_key, after=after, timeout_s=timeout_s)

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """See `Store.note_hindrance`."""
        self._hindrances.pop(kind, None)
        if detail is not None:
            self._hindrances[kind] = detail

    async def hindrances(self) -> list[tuple[str, str]]:
        """See `Store.hindrances`."""
        return sorted(self._hindrances.items())

    async def get_rules(self, tenant: str) -> TenantRules:
        """See `Store.get_rules`."""
        return self._rules.get(tenant, NO_RULES)

    async def put_rules(
        self, tenant: str, rules: TenantRules, *, over: int | None = None
    ) -> TenantRules:
        """See `Store.put_rules`."""
        kept = self._rules.get(tenant, NO_RULES)
        new = next_revision(kept, rules, over=over, now=self._clock())
        self._rules[tenant] = new
        return new

    async def close(self) -> None:
        """See `Store.close`; there is nothing to finish."""
