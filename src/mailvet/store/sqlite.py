"""The store in one SQLite file: every method of the contract, and where its SQL is."""

import asyncio
import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mailvet.failpoints import reach
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
from mailvet.model.keeping import BATCH_LIMIT, STORAGE_LIMIT_BYTES
from mailvet.model.status import BatchState
from mailvet.store import (
    sqlite_batches,
    sqlite_claims,
    sqlite_file,
    sqlite_ledger,
    sqlite_plan,
    sqlite_results,
    sqlite_rules,
    sqlite_storage,
    sqlite_work,
)
from mailvet.store.base import Created, Seal, unsealed
from mailvet.store.changes import WORK
from mailvet.store.hindrances import MEMORY_SHORT
from mailvet.store.remembered import RememberedRules
from mailvet.store.sqlite_access import SqliteAudit, SqliteKeys
from mailvet.store.sqlite_accounting import SqliteAccounting
from mailvet.store.sqlite_address import SqliteErasing
from mailvet.store.sqlite_callbacks import SqliteCallbacks
from mailvet.store.sqlite_entries import SqliteEntries
from mailvet.store.sqlite_keeping import SqliteKeeping
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_space import RESERVE_BYTES
from mailvet.store.sqlite_steering import SqliteSteering
from mailvet.store.sqlite_tenant_rules import SqliteTenantRules
from mailvet.store.sqlite_uploads import SqliteUploads
from mailvet.store.sqlite_writer import Transaction

LEASE_S = 30.0
"""Six heartbeats of a worker: a stall of seconds costs nothing, a dead worker half a minute."""

CHUNK_SIZE = 256
"""Where a commit, a message and a session are nearly as cheap per entry as they get."""


class SqliteStore(
    SqliteKeeping,
    SqliteAccounting,
    SqliteErasing,
    SqliteSteering,
    SqliteTenantRules,
    SqliteUploads,
    SqliteEntries,
    SqliteKeys,
    SqliteAudit,
    SqliteCallbacks,
):
    """A store in one file, owned by one process."""

    def __init__(
        self,
        file: OpenFile,
        *,
        clock: Callable[[], float],
        lease_clock: Callable[[], float],
        lease_s: float,
        chunk_size: int,
        storage_limit_bytes: int,
        batch_limit: int,
    ) -> None:
        super().__init__(file, clock, storage_limit_bytes, batch_limit)
        self.warnings = sqlite_file.warnings()
        """What an operator should know, as sentences; empty when all is well."""
        self._lease_clock = lease_clock
        self._lease_s = lease_s
        self._chunk_size = chunk_size
        self._planning = asyncio.Lock()
        self._remembered = RememberedRules(
            lambda tenant: file.read(lambda connection: sqlite_rules.get(connection, tenant))
        )
        self._in_vain: list[sqlite_claims.Held] = []
        """Claimed, but their entries could not be read: nobody works on them."""

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
        lease_clock: Callable[[], float] = time.monotonic,
        lease_s: float = LEASE_S,
        chunk_size: int = CHUNK_SIZE,
        reserve_bytes: int = RESERVE_BYTES,
        storage_limit_bytes: int = STORAGE_LIMIT_BYTES,
        batch_limit: int = BATCH_LIMIT,
    ) -> "SqliteStore":
        """Open the store in a file, made when it is missing; raise `StoreRefused` when it cannot.

        `clock` gives wall time in seconds. Leases have a clock of their own, which must not jump:
        they end with the process, and a corrected wall clock must not end them. `reserve_bytes` of
        disk are kept back while it is open, so that batches can be deleted when it is full.
        """
        return cls(
            await OpenFile.open(Path(path), reserve_bytes=reserve_bytes),
            clock=clock,
            lease_clock=lease_clock,
            lease_s=lease_s,
            chunk_size=chunk_size,
            storage_limit_bytes=storage_limit_bytes,
            batch_limit=batch_limit,
        )

    @property
    def epoch(self) -> int:
        """See `Store.epoch`."""
        return self._file.epoch

    @property
    def secret(self) -> bytes:
        """See `Store.secret`."""
        return self._file.secret

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

        def operation(transaction: Transaction) -> Created:
            created = sqlite_batches.create(
                transaction,
                tenant,
                batch_id,
                spec,
                entries,
                request_id=request_id,
                request_hash=request_hash,
                now=self._clock(),
            )
            if created.replayed:
                return created
            sqlite_storage.take_batch(transaction.connection, tenant, self.batch_limit)
            for added in transaction.appended:
                sqlite_storage.take_room(
                    transaction.connection, tenant, added, self.storage_limit_bytes
                )
            if not launch:
                return created
            batch = sqlite_batches.launch(transaction, tenant, batch_id, now=self._clock())
            return Created(batch, replayed=False)

        created = await self._file.write(operation)
        reach("create.committed")
        return created

    async def append_entries(
        self, tenant: str, batch_id: str, offset: int | None, entries: Sequence[Entry]
    ) -> int:
        """See `Store.append_entries`."""
        count = await self._file.write(
            lambda transaction: sqlite_batches.append(
                transaction,
                tenant,
                batch_id,
                offset,
                entries,
                limit_bytes=self.storage_limit_bytes,
            )
        )
        reach("append.committed")
        return count

    async def launch_batch(self, tenant: str, batch_id: str, *, etag: str = "") -> Batch:
        """See `Store.launch_batch`."""
        counted = await self._file.read(
            lambda connection: sqlite_ledger.count_if_limited(
                connection, sqlite_batches.get(connection, tenant, batch_id)
            )
        )
        return await self._file.write(
            lambda transaction: sqlite_batches.launch(
                transaction, tenant, batch_id, etag=etag, counted=counted, now=self._clock()
            )
        )

    async def cancel_batch(self, tenant: str, batch_id: str) -> Batch:
        """See `Store.cancel_batch`."""
        batch = await self._file.write(
            lambda transaction: sqlite_batches.cancel(
                transaction, tenant, batch_id, now=self._clock()
            )
        )
        self._file.start(self._file.place([batch.key]))
        return batch

    async def get_batch(self, tenant: str, batch_id: str) -> Batch:
        """See `Store.get_batch`."""
        return await self._file.read(
            lambda connection: sqlite_batches.get(connection, tenant, batch_id)
        )

    async def progress(self, tenant: str, batch_id: str) -> tuple[Batch, Progress]:
        """See `Store.progress`."""
        return await self._file.read(
            lambda connection: sqlite_batches.progress(
                connection, tenant, batch_id, now=self._clock()
            )
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
        return await self._file.read(
            lambda connection: sqlite_batches.listed(connection, tenant, states, before_key, limit)
        )

    async def results_after(
        self,
        tenant: str,
        batch_id: str,
        sequence: int,
        *,
        limit: int,
        where: ResultFilter | None = None,
    ) -> ResultPage:
        """See `Store.results_after`."""
        return await self._file.read(
            lambda connection: sqlite_results.after(
                connection, tenant, batch_id, sequence, limit=limit, where=where
            )
        )

    async def page_start(
        self, tenant: str, batch_id: str, sequence: int, *, limit: int, where: ResultFilter
    ) -> int:
        """See `Store.page_start`."""
        return await self._file.read(
            lambda connection: sqlite_results.page_start(
                connection, tenant, batch_id, sequence, limit=limit, where=where
            )
        )

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
        """See `Store.joined_after`."""
        return await self._file.read(
            lambda connection: sqlite_results.joined_after(
                connection,
                tenant,
                batch_id,
                sequence,
                limit=limit,
                max_bytes=max_bytes,
                pages=pages,
                seal=seal,
            )
        )

    async def result_of(self, tenant: str, batch_id: str, index: int) -> EntryPlace:
        """See `Store.result_of`."""
        return await self._file.read(
            lambda connection: sqlite_results.of_entry(connection, tenant, batch_id, index)
        )

    async def changed(self, batch_key: int, *, after: int, timeout_s: float) -> int:
        """See `Store.changed`."""
        return await self._file.changes.changed(batch_key, after=after, timeout_s=timeout_s)

    async def plan_launched(self) -> int:
        """See `Store.plan_launched`."""
        async with self._planning:  # two at once would only cut the same batches twice
            kept = 0
            for key in await self._file.read(sqlite_plan.to_plan):
                kept += await self._plan(key)
            return kept

    async def _plan(self, key: int) -> bool:
        recent = self._file.fresh.of(key)
        planned = await self._file.read(
            lambda connection: sqlite_plan.plan(
                connection, key, chunk_size=self._chunk_size, recent=recent
            )
        )
        reach("plan.read")
        kept = await self._file.write(
            lambda transaction: sqlite_plan.keep(transaction, planned, now=self._clock())
        )
        reach("plan.committed")
        return kept

    async def claim(self, owner: str, *, max_entries: int) -> list[Claim]:
        """See `Store.claim`."""
        reach("claim.begun")
        held = await self._file.write(
            lambda transaction: sqlite_work.claim(
                transaction,
                owner,
                max_entries=max_entries,
                now=self._clock(),
                lease_until=self._lease_clock() + self._lease_s,
            )
        )
        if not held:
            return []
        try:
            reach("claim.committed")
            recent = {chunk.batch_key: self._file.fresh.of(chunk.batch_key) for chunk in held}
            return await self._file.read(
                lambda connection: sqlite_claims.load(connection, held, recent)
            )
        except BaseException:
            # Heartbeats of the owner would hold them for ever: the next reap lets go of them.
            self._in_vain += held
            raise

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """See `Store.settle`."""
        reach("settle.begun")
        held, completed = await self._file.write(
            lambda transaction: sqlite_work.settle(transaction, settlements, now=self._clock())
        )
        reach("settle.committed")
        if completed:
            self._file.start(self._file.place(completed))
        return held

    async def heartbeat(self, owner: str, chunks: Collection[int]) -> frozenset[int]:
        """See `Store.heartbeat`."""
        return await self._file.write(
            lambda transaction: sqlite_work.heartbeat(
                transaction, owner, chunks, lease_until=self._lease_clock() + self._lease_s
            )
        )

    async def reap(self) -> int:
        """See `Store.reap`."""
        in_vain = list(self._in_vain)

        def operation(transaction: Transaction) -> int:
            sqlite_work.let_go(transaction.connection, in_vain)
            if in_vain:
                transaction.touch_work()
            return len(in_vain) + sqlite_work.reap(transaction, now=self._lease_clock())

        reaped = await self._file.write(operation)
        del self._in_vain[: len(in_vain)]
        return reaped

    async def let_go(self, owner: str, *, died: bool = False) -> int:
        """See `WorkStore.let_go`."""
        return await self._file.write(
            lambda transaction: sqlite_work.let_go_of(transaction, owner=owner, died=died)
        )

    async def next_run_at(self) -> float | None:
        """See `Store.next_run_at`."""
        return await self._file.read(sqlite_work.next_run_at)

    async def work_signal(self, *, after: int, timeout_s: float) -> int:
        """See `Store.work_signal`."""
        return await self._file.changes.changed(WORK, after=after, timeout_s=timeout_s)

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        """See `Store.note_hindrance`."""
        self._file.hindrances.note(kind, detail)
        if kind == MEMORY_SHORT and detail is not None:
            self._file.fresh.clear()

    async def hindrances(self) -> list[tuple[str, str]]:
        """See `Store.hindrances`."""
        return self._file.hindrances.listed()

    async def close(self) -> None:
        """See `Store.close`; calling it again does nothing."""
        await self._file.close()
