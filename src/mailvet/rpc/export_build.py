"""How an export is made: results are copied from the store to a spool, a process writes them.

Nothing of it has a name on disk: when the server goes, the files go with it.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mailvet.batches.file_intake import copy_upload, scratch_file
from mailvet.errors import Unavailable
from mailvet.files import FileRefused
from mailvet.files.dialects import OWN
from mailvet.files.plain import time_text
from mailvet.files.spool import packed
from mailvet.model.batch import Batch, ResultFilter, UploadedFile
from mailvet.rpc.export_process import Job, Written
from mailvet.rpc.frames import body
from mailvet.store.base import Store
from mailvet.telemetry.logs import logger
from mailvet.v1 import result_pb2 as result_pb

PAGE_RESULTS = 2_000
"""Copied in one go: a few milliseconds of the event loop."""
_FULL = result_pb.RESULT_VIEW_FULL
Note = Callable[[int], None]

_LOG = logger("rpc")


class ExportSpec(NamedTuple):
    """What an export is to be."""

    form: str
    """One of `files.writers.FORMATS`; empty for the uploaded file with columns added."""
    dialect: str
    columns: tuple[str, ...]
    where: ResultFilter | None
    escape: bool


class ExportFile:
    """A file that is ready; it is gone when nobody holds it any more."""

    def __init__(self, fd: int, written: Written) -> None:
        self._fd = fd
        self.written = written

    def read(self, offset: int, most: int) -> bytes:
        """Return up to `most` bytes from `offset` on."""
        return os.pread(self._fd, most, offset)

    def __del__(self) -> None:
        os.close(self._fd)


async def build(store: Store, batch: Batch, spec: ExportSpec, note: Note) -> ExportFile:
    """Make an export of the results there are; `note` hears how many are written so far.

    Raises FileRefused when the format cannot hold them, `NotFound` when the batch goes.
    """
    with ExitStack() as stack:
        results, labels, out = (
            stack.enter_context(tempfile.TemporaryFile(prefix="mailvet-")) for _ in range(3)
        )
        await _copy(store, batch, spec.where, results)
        kept = await store.get_upload(batch.tenant, batch.batch_id)
        names: tuple[str, ...] = ()
        if kept and kept.reading and spec.form and spec.dialect == OWN.name:
            names = await _copy_labels(store, batch, kept, labels)
        upload = _Upload()
        if kept and not spec.form:
            path = stack.enter_context(scratch_file())
            upload = await _copy_file(store, batch, kept, path)
        job = Job(
            results_fd=results.fileno(),
            labels_fd=labels.fileno(),
            out_fd=out.fileno(),
            form=spec.form,
            dialect=spec.dialect,
            columns=spec.columns,
            label_names=names,
            escape=spec.escape,
            facts=_facts(batch),
            upload=upload.path,
            upload_name=upload.name,
            upload_options=upload.options,
            only_answered=spec.where is not None or batch.removed_count > 0,
        )
        written = await _written(job, note)
        return ExportFile(os.dup(out.fileno()), written)


class _Upload(NamedTuple):
    """A copy of the uploaded file, where one is needed."""

    path: str = ""
    name: str = ""
    options: dict[str, Any] = {}  # noqa: RUF012 - never written to


async def _copy_file(store: Store, batch: Batch, kept: UploadedFile, path: Path) -> _Upload:
    await copy_upload(store, batch, path)
    return _Upload(str(path), kept.name or "file", json.loads(kept.options))


async def _copy_labels(
    store: Store, batch: Batch, kept: UploadedFile, out: BinaryIO
) -> tuple[str, ...]:
    """Copy what entries have of their rows; return the names of those columns."""
    index = 0
    while texts := await store.labels_from(batch.tenant, batch.batch_id, index, limit=PAGE_RESULTS):
        out.write(b"".join(packed(at, text.encode()) for at, text in enumerate(texts, index)))
        index += len(texts)
    out.flush()
    reading = json.loads(kept.reading)
    return tuple(name for at, name in enumerate(reading["column_names"]) if at != reading["column"])


async def _copy(store: Store, batch: Batch, where: ResultFilter | None, out: BinaryIO) -> None:
    sequence, caught_up = 0, False
    while not caught_up:
        page = await store.results_after(
            batch.tenant, batch.batch_id, sequence, limit=PAGE_RESULTS, where=where
        )
        out.write(b"".join(packed(row.entry_index, body(row, _FULL)) for row in page.rows))
        sequence, caught_up = page.sequence, page.caught_up
    out.flush()


def _facts(batch: Batch) -> dict[str, str]:
    return {
        "batch_id": batch.batch_id,
        "state": batch.state.name,
        "create_time": time_text(batch.create_time) or "",
    }


async def _written(job: Job, note: Note) -> Written:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mailvet.rpc.export_process", job.text()),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=(job.results_fd, job.labels_fd, job.out_fd),
    )
    assert process.stdout is not None
    told: dict[str, Any] = {}
    try:
        async for line in process.stdout:
            told = json.loads(line)
            note(told.get("prepared", 0))
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if "refused" in told:
        raise FileRefused(*told["refused"])
    if process.returncode or "failed" in told:
        _LOG.error("export.failed", error=told.get("failed"), exit_code=process.returncode)
        raise Unavailable("the export could not be written; is there room on the disk?")
    return Written(**told)
