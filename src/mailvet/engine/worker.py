"""The batch worker: claims chunks from the store, feeds the pipeline, settles what was learnt.

At most a window of entries is in memory. Nothing is held by a sleeping task: a wait is a deferral
in the store, and a worker that dies loses its leases, not its entries.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence

import structlog

from mailvet.engine.answers import Answers
from mailvet.engine.pipeline import Pipeline
from mailvet.engine.recall import Recall
from mailvet.engine.retry import RetrySchedule
from mailvet.engine.rhythm import DEFAULT_RHYTHM, Rhythm
from mailvet.engine.workload import Workload
from mailvet.errors import Unavailable
from mailvet.model.batch import Claim
from mailvet.store.base import WorkStore

CLAIM_ENTRIES = 2000
"""Claimed at once at most: amortises the commit, is enough to do while the next claim waits for a
commit of results, and a batch launched meanwhile comes next."""

ROOM_ENTRIES = 1000
"""A full window is claimed for again when there is room for so many."""

BESIDE_PART = 10
"""This part of the window is claimed beside it for batches that come while it is full; for many of
them no more than `ROOM_ENTRIES`."""


_LOG = structlog.get_logger(room="engine")


class Worker:
    """Works on batches until it is stopped."""

    def __init__(
        self,
        store: WorkStore,
        pipeline: Pipeline,
        *,
        window_entries: int,
        schedule: RetrySchedule,
        answers: Answers,
        recall: Recall,
        wall_clock: Callable[[], float],
        rhythm: Rhythm = DEFAULT_RHYTHM,
    ) -> None:
        self._rhythm = rhythm
        self._store = store
        self._gathering = pipeline.gathering
        self._owner = f"worker-{secrets.token_hex(4)}"
        self._window = window_entries
        self._wall_clock = wall_clock
        self._work = Workload(
            pipeline, answers=answers, recall=recall, schedule=schedule, wall_clock=wall_clock
        )
        self._refused = False
        self._settled = 0
        """Results in the last commit."""
        self.held = False
        """Whether nothing more may be claimed for now; what is under way goes on."""
        self._claiming: asyncio.Task[None] | None = None
        self._planning: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work until cancelled; what was learnt by then is settled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._claiming = tasks.create_task(self._claim_loop())
                self._planning = tasks.create_task(self._plan_loop())
                tasks.create_task(self._settle_loop())
                tasks.create_task(self._heartbeat_loop())
        finally:
            self._work.stopping = True
            await self._settle_once()
            with contextlib.suppress(Unavailable):  # or it looks as if we had died over it
                await self._store.let_go(self._owner)

    def stop_claiming(self) -> None:
        """Take no more work; what is under way goes on and is settled."""
        for task in (self._claiming, self._planning):
            if task is not None:
                task.cancel()

    async def _plan_loop(self) -> None:
        """Cut batches as they are launched, also while there is more to claim than there is room
        for: what is not cut has no turn."""
        revision = 0
        while True:
            try:
                revision = await self._store.work_signal(
                    after=revision, timeout_s=self._rhythm.idle_s
                )
                if await self._store.plan_launched():
                    await self._welcome()
            except Unavailable as error:
                revision = 0  # what was signalled is still to be done
                _LOG.warning("plan.refused", reason=str(error))
                await asyncio.sleep(self._rhythm.retry_s)

    async def _welcome(self) -> None:
        """Claim a little beside a full window: a batch that was cut just now is served first, and
        need not wait until slow exchangers have answered about those before it."""
        if self._gathering.blocked and not self._refused and not self.held:
            beside = max(1, self._window // BESIDE_PART)
            room = min(beside, self._window + ROOM_ENTRIES - self._work.in_flight)
            if room > 0:
                await self._begin_all(await self._claim(room))

    async def _claim_loop(self) -> None:
        revision = 0
        while True:
            try:
                revision = await self._store.work_signal(
                    after=revision, timeout_s=await self._idle_s()
                )
                await self._claim_all()
            except Unavailable as error:
                revision = 0  # what was signalled is still to be done
                _LOG.warning("claim.refused", reason=str(error))
                await asyncio.sleep(self._rhythm.retry_s)

    async def _claim_all(self) -> None:
        """Claim and begin until nothing is ready; a claim is on its way while the last begins."""
        coming = asyncio.ensure_future(self._claim_next())
        try:
            while claims := await coming:
                coming = asyncio.ensure_future(self._claim_next())
                await self._begin_all(claims)
        finally:
            coming.cancel()

    async def _claim_next(self) -> list[Claim]:
        """Claim what there is room for, waiting for room."""
        if self._refused:  # or what was learnt and cannot be kept would pile up
            raise Unavailable("what was learnt before has to be kept first")
        if self.held:
            raise Unavailable("memory is short; what is under way has to end first")
        if self._work.in_flight >= self._window:
            await self._wait_for_room()
        return await self._claim(min(self._window - self._work.in_flight, CLAIM_ENTRIES))

    async def _claim(self, room: int) -> list[Claim]:
        self._gathering.expect()
        claims: list[Claim] = []
        try:
            claims = await self._store.claim(self._owner, max_entries=room)
        finally:
            if not claims:  # else they have arrived when they have begun
                self._gathering.arrived()
        self._work.in_flight += sum([len(claim.entries) for claim in claims])
        return claims

    async def _begin_all(self, claims: Sequence[Claim]) -> None:
        try:
            for claim in claims:
                await asyncio.sleep(0)  # what is decided offline takes milliseconds a chunk
                self._work.begin(claim)
        finally:
            if claims:
                self._gathering.arrived()

    async def _wait_for_room(self) -> None:
        # A claim costs a commit: not one for every entry that ends.
        self._gathering.blocked = True
        try:
            while self._work.in_flight > max(self._window - ROOM_ENTRIES, self._window // 2):
                self._work.room.clear()
                await self._work.room.wait()
        finally:
            self._gathering.blocked = False

    async def _idle_s(self) -> float:
        run_at = await self._store.next_run_at()
        if run_at is None:
            return self._rhythm.idle_s
        return max(0.0, min(self._rhythm.idle_s, run_at - self._wall_clock()))

    async def _settle_loop(self) -> None:
        while True:
            await self._work.something_learnt.wait()
            await asyncio.sleep(self._rhythm.collect_s(self._settled))
            self._work.something_learnt.clear()
            if not await self._settle_once():
                await asyncio.sleep(self._rhythm.retry_s)
                self._work.something_learnt.set()

    async def _settle_once(self) -> bool:
        """Commit what was learnt; False when the store refused and it is kept for later."""
        dirty = self._work.take_dirty()
        chunks = [chunk for chunk in dirty.values() if chunk.rows or chunk.deferred]
        finished = [key for key, chunk in dirty.items() if chunk.open == 0]
        settlements = [chunk.take_settlement() for chunk in chunks]
        self._settled = sum([len(one.results) for one in settlements])
        if settlements:
            try:
                held = await self._store.settle(settlements)
            except Unavailable as error:
                _LOG.warning("settle.refused", reason=str(error))
                for chunk, settlement in zip(chunks, settlements, strict=True):
                    chunk.take_back(settlement)
                self._work.dirty = dirty | self._work.dirty
                self._refused = True
                return False
            self._refused = False
            for chunk, still_held in zip(chunks, held, strict=True):
                if not still_held:
                    chunk.lose()
        self._work.forget(finished)
        return True

    async def _heartbeat_loop(self) -> None:
        while True:
            await asyncio.sleep(self._rhythm.heartbeat_s)
            try:
                held = [chunk for chunk in self._work.chunks.values() if not chunk.lost]
                # First: after a stall our own leases may be over, and nobody took the chunks.
                alive = await self._store.heartbeat(
                    self._owner, [chunk.claim.chunk for chunk in held]
                )
                await self._store.reap()
            except Unavailable as error:
                _LOG.warning("heartbeat.refused", reason=str(error))
                continue
            for chunk in held:
                if chunk.claim.batch_key not in alive:
                    chunk.lose()
