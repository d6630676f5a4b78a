"""The audit log: who changed what, or was refused to.

What was done is durable before its caller is answered. Refusals are written within a second, so
that they cost nobody a wait; each has its row, up to 60 in a minute for one key (or for nobody).
Beyond that they are counted together, so that guessing does not fill the disk.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from mailvet.errors import Unavailable
from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow
from mailvet.store.base_audit import AuditStore
from mailvet.store.riding import Rider
from mailvet.telemetry.logs import logger

REFUSALS_PER_MINUTE = 60
"""Of one key, each with its row; more than any program makes that works."""
FLUSH_EVERY_S = 1.0
SWEEP_EVERY_S = 3600.0
MAX_WAITING = 10_000
"""Events in memory while the store cannot write; then the log says that some were lost."""

_LOG = logger("audit")


class AuditLog:
    """The log of a store; `wall_clock` is seconds since the epoch."""

    def __init__(
        self, store: AuditStore, *, retention_s: float, wall_clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._retention_s = retention_s
        self._wall_clock = wall_clock
        self._waiting: list[AuditEvent] = []
        self._minute = 0
        self._refused: Counter[tuple[str, str]] = Counter()
        self._summed: dict[AuditEvent, AuditEvent] = {}
        """What is counted together in this minute, by what is alike."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def done(self, event: AuditEvent) -> None:
        """Write an event; it is durable on return, unless the store cannot: then as soon as it can.

        What it tells of has been done by then, so its caller is not told that it failed. A caller
        who hangs up meanwhile changes nothing.
        """
        await asyncio.shield(self._start(self._write([event])))

    def refused(self, event: AuditEvent) -> None:
        """Have a refusal written soon; beyond the number that has rows it is only counted."""
        minute = int(event.event_time // 60)
        if minute != self._minute:
            self._end_minute(minute)
        who = event.tenant, event.key_id
        self._refused[who] += 1
        if self._refused[who] <= REFUSALS_PER_MINUTE:
            self._keep([event])
            return
        alike = event._replace(
            event_time=0.0, batch_id="", subject_key_id="", peer="", request_id=""
        )
        first = self._summed.get(alike, alike._replace(event_time=event.event_time, call_count=0))
        self._summed[alike] = first._replace(call_count=first.call_count + 1)

    def hung_up(self, rider: Rider, event: AuditEvent) -> None:
        """Note a caller who hung up while a write may have been under way with its row."""

        async def settle() -> None:
            if not await rider.settled():
                self.refused(event)

        if rider.under_way:
            self._start(settle())
        elif not rider.written:
            self.refused(event)

    async def list(
        self, where: AuditFilter, *, before: int | None, limit: int
    ) -> Sequence[AuditRow]:
        """Return events, the newest first; with all that was refused so far."""
        await self.flush()
        return await self._store.list_audit(where, before=before, limit=limit)

    async def flush(self) -> None:
        """Write what waits. What the store cannot write now waits on."""
        minute = int(self._wall_clock() // 60)
        if minute != self._minute:
            self._end_minute(minute)
        events, self._waiting = self._waiting, []
        if events:
            await asyncio.shield(self._start(self._write(events)))

    async def run(self) -> None:
        """Flush every second and sweep every hour, until cancelled."""
        while True:
            await self.sweep()
            for _ in range(int(SWEEP_EVERY_S / FLUSH_EVERY_S)):
                await asyncio.sleep(FLUSH_EVERY_S)
                await self.flush()

    async def sweep(self) -> None:
        """Drop what is older than the retention."""
        try:
            dropped = 1
            while dropped:  # some at a time, so that others write in between
                dropped = await self._store.sweep_audit(self._wall_clock() - self._retention_s)
        except Unavailable as error:
            _LOG.warning("audit.sweep_refused", reason=str(error))

    async def close(self) -> None:
        """Write what is left, the counts of this minute too."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._end_minute(self._minute)
        await self.flush()
        if self._waiting:
            _LOG.error("audit.lost", events=len(self._waiting))

    async def _write(self, events: Sequence[AuditEvent]) -> None:
        try:
            await self._store.add_audit(events)
        except Unavailable:
            self._keep(events)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _end_minute(self, minute: int) -> None:
        self._minute = minute
        self._refused.clear()
        self._keep(list(self._summed.values()))
        self._summed.clear()

    def _keep(self, events: Sequence[AuditEvent]) -> None:
        self._waiting += events
        lost = len(self._waiting) - MAX_WAITING
        if lost > 0:
            del self._waiting[:lost]
            _LOG.error("audit.lost", events=lost)
