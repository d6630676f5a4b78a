"""How a batch stands, and the wait for it to change: newest state only, never a queue."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from mailvet.batches.drain import Drain
from mailvet.batches.pause import Pause
from mailvet.batches.rate import Pace, RateMeter
from mailvet.model.batch import Batch, Progress
from mailvet.model.status import BatchState
from mailvet.store.base import Store

ENDED = frozenset({BatchState.COMPLETED, BatchState.CANCELLED})
FRAME_GAP_S = 0.2
"""Nobody reads progress faster; commits come many times as often."""


class Standing(NamedTuple):
    """A batch and how the work on it stands, from one snapshot."""

    batch: Batch
    progress: Progress
    rate: float = 0.0
    """Results a second of late; 0 when not running."""
    remaining_s: float | None = None
    hindrances: tuple[tuple[str, str], ...] = ()
    """What holds the work up, as (kind, detail)."""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.batch.state in ENDED


class Observer:
    """Looks at batches; `clock` is monotonic seconds, `wall_clock` seconds since the epoch."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        gap_s: float = FRAME_GAP_S,
    ) -> None:
        self._store = store
        self._meter = RateMeter(clock)
        self._clock = clock
        self._wall_clock = wall_clock
        self._gap_s = gap_s

    async def look(self, tenant: str, batch_id: str) -> Standing:
        """Return how a batch stands; raises `NotFound`."""
        batch, progress = await self._store.progress(tenant, batch_id)
        if batch.state is not BatchState.RUNNING:
            return Standing(batch, progress)
        now = self._wall_clock()
        pace = self._meter.pace(batch.key, progress.result_count, now - (batch.launch_time or now))
        hindrances = [*await self._store.hindrances(), *_waiting(progress)]
        remaining_s = _remaining_s(progress, pace, now)
        return Standing(batch, progress, pace.rate, remaining_s, tuple(hindrances))

    async def look_at_end(
        self, tenant: str, batch_id: str, *, wait_s: float, drain: Drain
    ) -> Standing:
        """Return how a batch stands once it ended, or after `wait_s` seconds, or on a drain."""
        deadline = self._clock() + wait_s
        pause = Pause(self._clock, self._gap_s)
        revision = 0
        while True:
            standing = await self.look(tenant, batch_id)
            left_s = deadline - self._clock()
            if standing.ended or left_s <= 0 or drain.begun:
                return standing
            revision = await self._next_revision(standing.batch, revision, left_s, pause, drain)

    async def _next_revision(
        self, batch: Batch, revision: int, left_s: float, pause: Pause, drain: Drain
    ) -> int:
        # The first answer comes at once: it is the revision to wait after.
        found = await drain.unless(self._store.changed(batch.key, after=revision, timeout_s=left_s))
        await drain.unless(pause.keep())
        pause.start()
        return revision if found is None else found

    def watch(self, batch: Batch, *, heartbeat_s: float, drain: Drain) -> "BatchWatch":
        """Return a watch of a batch that says something at least every `heartbeat_s` seconds."""
        pause = Pause(self._clock, self._gap_s)
        return BatchWatch(self._store, self, batch, heartbeat_s, drain, pause)


def _waiting(progress: Progress) -> list[tuple[str, str]]:
    open_count = progress.open_count
    if not progress.waiting_count or progress.waiting_count < open_count:
        return []
    when = progress.next_attempt_at
    clock = f"; the next try is at {datetime.fromtimestamp(when, UTC):%H:%M:%S} UTC" if when else ""
    return [("WAITING_FOR_RETRY", f"{open_count} entries wait for a later attempt{clock}")]


def _remaining_s(progress: Progress, pace: Pace, now: float) -> float | None:
    ready = progress.open_count - progress.waiting_count
    if ready > 0 and pace.rate <= 0:
        return None
    seconds = ready / pace.rate - pace.since_s if ready > 0 else 0.0
    if progress.waiting_count and progress.next_attempt_at is not None:
        seconds = max(seconds, progress.next_attempt_at - now)
    return max(0.0, math.ceil(seconds))


class WatchFrame(NamedTuple):
    """One frame of a watch."""

    standing: Standing
    done: bool = False
    going_away: bool = False


class BatchWatch:
    """One caller watching one batch: each frame is the newest state when it is asked for."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        batch: Batch,
        heartbeat_s: float,
        drain: Drain,
        pause: Pause,
    ) -> None:
        self._store = store
        self._observer = observer
        self._batch = batch
        self._heartbeat_s = heartbeat_s
        self._drain = drain
        self._pause = pause
        self._revision = 0

    async def next(self) -> WatchFrame:
        """Return the next frame, once the batch changed or the heartbeat is due."""
        batch = self._batch
        await self._drain.unless(self._pause.keep())
        await self._wait()
        standing = await self._observer.look(batch.tenant, batch.batch_id)
        self._pause.start()
        return WatchFrame(standing, standing.ended, self._drain.begun and not standing.ended)

    async def _wait(self) -> None:
        revision = await self._drain.unless(
            self._store.changed(self._batch.key, after=self._revision, timeout_s=self._heartbeat_s)
        )
        self._revision = self._revision if revision is None else revision
