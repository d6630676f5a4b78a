"""Exports under way and those just made: asked for again, or resumed, they are not made again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mailvet.model.batch import Batch, UploadedFile
from mailvet.rpc.export_build import ExportFile, ExportSpec, build
from mailvet.store.base import Store

KEEP_S = 600.0
"""How long a file is kept for who resumes."""
MAX_KEPT = 8
"""Files kept at once, the newest: an export of a million results has some 300 MB."""
MAX_BUILDS = 2
"""Files made at once; others wait. Each has a process of its own."""


@dataclass(slots=True, eq=False)
class Export:
    """A file that is being made, or was."""

    batch: Batch
    spec: ExportSpec
    task: "asyncio.Task[ExportFile]" = field(init=False)
    prepared_count: int = 0
    """How many results it has so far."""
    readers: int = 0
    used_at: float = 0.0

    def note(self, count: int) -> None:
        """Hear how far it is."""
        self.prepared_count = max(self.prepared_count, count)

    @property
    def is_made(self) -> bool:
        """Whether the file is there."""
        return self.task.done() and not self.task.cancelled() and self.task.exception() is None


class Exports:
    """The exports of every batch; `clock` is monotonic seconds."""

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._kept: list[Export] = []
        self._room = asyncio.Semaphore(MAX_BUILDS)

    @asynccontextmanager
    async def opened(self, batch: Batch, spec: ExportSpec, etag: str) -> AsyncIterator[Export]:
        """Yield the export asked for, begun unless it is kept; ended when nobody waits for it.

        With an etag the file of that name is kept, if it is there at all; without, one of a batch
        that still runs is always made anew.
        """
        export = self._find(batch, spec, etag) or self._begin(batch, spec)
        export.readers += 1
        try:
            yield export
        finally:
            export.readers -= 1
            export.used_at = self._clock()
            if not export.is_made and not export.readers:
                await self._drop(export)
            asyncio.get_running_loop().call_later(KEEP_S + 1, self._tidy)

    async def upload_of(self, batch: Batch) -> UploadedFile | None:
        """Return the file that a batch was made of."""
        return await self._store.get_upload(batch.tenant, batch.batch_id)

    def forget(self, tenant: str, batch_id: str) -> None:
        """Let go of every file of a batch: it is deleted."""
        for export in list(self._kept):
            if (export.batch.tenant, export.batch.batch_id) == (tenant, batch_id):
                self._kept.remove(export)
                export.task.cancel()

    def _find(self, batch: Batch, spec: ExportSpec, etag: str) -> Export | None:
        self._tidy()
        for export in self._kept:
            if (export.batch.key, export.spec) != (batch.key, spec):
                continue
            if etag and export.is_made and export.task.result().written.etag == etag:
                return export
            if not etag and export.batch == batch and batch.end_time is not None:
                return export
        return None

    def _begin(self, batch: Batch, spec: ExportSpec) -> Export:
        export = Export(batch, spec)
        export.task = asyncio.create_task(self._build(export))
        self._kept.append(export)
        return export

    async def _build(self, export: Export) -> ExportFile:
        async with self._room:
            return await build(self._store, export.batch, export.spec, export.note)

    async def _drop(self, export: Export) -> None:
        if export in self._kept:
            self._kept.remove(export)
        export.task.cancel()
        await asyncio.gather(export.task, return_exceptions=True)

    def _tidy(self) -> None:
        """Keep the newest files that were used of late."""
        now = self._clock()
        idle = [each for each in self._kept if each.is_made and not each.readers]
        old = [each for each in idle if now - each.used_at > KEEP_S]
        too_many = idle[: max(0, len(self._kept) - MAX_KEPT)]
        self._kept = [each for each in self._kept if each not in old and each not in too_many]
