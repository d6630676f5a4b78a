"""UploadFile and AddFile: bytes in, one ack a frame, then how far reading is and how it went."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import google_crc32c

from mailvet.batches.file_intake import FileIntake, WholeFile
from mailvet.batches.lifecycle import Batches
from mailvet.batches.limits import MAX_FILE_FRAME_BYTES, MAX_FILE_NAME_CHARACTERS
from mailvet.errors import Violations
from mailvet.files import ReadOptions
from mailvet.model.batch import Batch, UploadedFile
from mailvet.rpc import rules
from mailvet.rpc.call import Call
from mailvet.rpc.decode_targeting import check_phones
from mailvet.rpc.encode import encode_batch
from mailvet.v1 import upload_file_pb2 as pb

_ENDINGS: dict[int, str | None] = {
    pb.LINE_ENDING_UNSPECIFIED: None,
    pb.LINE_ENDING_CRLF: "crlf",
    pb.LINE_ENDING_LF: "lf",
    pb.LINE_ENDING_CR: "cr",
}

TICK_S = 1.0
"""How often the sender hears how far reading is."""


class FileUploads:
    """Answers the two methods."""

    def __init__(self, batches: Batches, files: FileIntake) -> None:
        self._batches = batches
        self._files = files

    async def add(self, request: pb.AddFileRequest, tenant: str) -> pb.AddFileResponse:
        """Take a whole file at once."""
        wrong = Violations()
        options = read_options(request.settings, wrong)
        _check_data(request.data, None, wrong)
        wrong.raise_if_any()
        batch = await self._batches.find(tenant, request.batch_id)
        await self._files.begin(batch, request.settings.name, options)
        await self._files.append(batch, 0, request.data)
        whole = WholeFile(len(request.data), google_crc32c.value(request.data))
        reading = await self._files.finish(batch, whole, lambda _count: None)
        steer = self._batches.launch if request.launch else self._batches.look
        standing = await steer(tenant, request.batch_id)
        return pb.AddFileResponse(reading=encode_reading(reading), batch=encode_batch(standing))

    async def receive(self, call: Call[pb.UploadFileRequest]) -> None:
        """Answer one UploadFile call."""
        frames = call.requests()
        batch, kept = None, UploadedFile("", "")
        place = 0
        async for frame in frames:
            if batch is None:
                batch, kept = await self._begin(frame, call.tenant)
                place = kept.size
            place = frame.offset if frame.HasField("offset") else place
            _check_frame(frame, batch)
            if frame.data:
                kept = await self._files.append(batch, place, frame.data)
                place += len(frame.data)
            await call.write(_ack(kept, batch))
            if frame.HasField("finish"):
                await self._finish(call, batch, kept, frame.finish)
                return

    async def _begin(self, frame: pb.UploadFileRequest, tenant: str) -> tuple[Batch, UploadedFile]:
        wrong = Violations()
        options = read_options(frame.settings, wrong)
        if not frame.batch_id:
            wrong.add("batch_id", "the first frame names the batch")
        wrong.raise_if_any()
        batch = await self._batches.find(tenant, frame.batch_id)
        return batch, await self._files.begin(batch, frame.settings.name, options)

    async def _finish(
        self,
        call: Call[pb.UploadFileRequest],
        batch: Batch,
        kept: UploadedFile,
        finish: pb.FinishFile,
    ) -> None:
        whole = WholeFile(
            finish.size_bytes if finish.HasField("size_bytes") else None,
            finish.crc32c if finish.HasField("crc32c") else None,
        )
        counts = [0]
        task = asyncio.create_task(self._files.finish(batch, whole, counts.append))
        try:
            async for _ in _ticks(task, call):
                await call.write(_ack(kept, batch, max(counts[-1], batch.entry_count)))
            reading = await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        steer = self._batches.launch if finish.launch else self._batches.look
        standing = await steer(batch.tenant, batch.batch_id)
        last = _ack(kept, standing.batch)
        last.reading.CopyFrom(encode_reading(reading))
        last.batch.CopyFrom(encode_batch(standing))
        await call.write(last)


async def _ticks(
    task: "asyncio.Task[Any]", call: Call[pb.UploadFileRequest]
) -> AsyncIterator[None]:
    """Yield now and then until the task is done; `Unavailable` when the server drains."""
    while not task.done():
        if await call.drain.unless(asyncio.wait({task}, timeout=TICK_S)) is None:
            raise call.going_away()
        if not task.done():
            yield


def read_options(settings: pb.FileSettings, wrong: Violations) -> ReadOptions:
    """Return how a file is to be read."""
    rules.check_length(settings.name, "settings.name", MAX_FILE_NAME_CHARACTERS, wrong)
    for name in ("column_index", "sheet_index", "first_row", "last_row"):
        rules.check_range(getattr(settings, name), f"settings.{name}", 0, rules.MAX_INT32, wrong)
    first_row = settings.first_row or 1
    if settings.last_row and settings.last_row < first_row:
        wrong.add("settings.last_row", f"{settings.last_row} is before the first, {first_row}")
    check_phones(settings.phone_column, settings.phone_country, "settings.", wrong)
    ending = rules.number(settings.line_ending, "settings.line_ending", _ENDINGS, wrong)
    return ReadOptions(
        encoding=settings.encoding or None,
        delimiter=settings.delimiter or None,
        line_ending=_ENDINGS[ending],
        header=settings.header if settings.HasField("header") else None,
        column=_one_of(settings, "column"),
        sheet=_one_of(settings, "sheet"),
        first_row=first_row,
        last_row=settings.last_row or None,
        phone_column=settings.phone_column,
        phone_country=settings.phone_country,
    )


def _one_of(settings: pb.FileSettings, group: Any) -> str | int | None:
    name = settings.WhichOneof(group)
    return getattr(settings, name) if name else None


def _check_frame(frame: pb.UploadFileRequest, batch: Batch) -> None:
    wrong = Violations()
    if frame.batch_id not in ("", batch.batch_id):
        wrong.add("batch_id", "a file goes into one batch; open another stream for another one")
    rules.check_range(frame.offset, "offset", 0, 2**63 - 1, wrong)
    _check_data(frame.data, frame.crc32c if frame.HasField("crc32c") else None, wrong)
    wrong.raise_if_any()


def _check_data(data: bytes, crc32c: int | None, wrong: Violations) -> None:
    if len(data) > MAX_FILE_FRAME_BYTES:
        wrong.add("data", f"{len(data)} bytes, at most {MAX_FILE_FRAME_BYTES} at a time; split it")
    if crc32c is not None and google_crc32c.value(data) != crc32c:
        wrong.add("crc32c", "the bytes were damaged on their way; send them again")


def _ack(kept: UploadedFile, batch: Batch, entry_count: int = 0) -> pb.UploadFileResponse:
    return pb.UploadFileResponse(
        size_bytes=kept.size,
        crc32c=kept.crc32c,
        entry_count=entry_count or batch.entry_count,
    )


def encode_reading(reading: dict[str, Any]) -> pb.FileReading:
    """Return how a file was understood."""
    same = ("kind", "encoding", "encoding_reason", "delimiter", "sheet", "header_row")
    counts = ("rows_read", "rows_kept", "rows_blank", "rows_bad", "rows_repaired")
    return pb.FileReading(
        **{name: reading[name] for name in (*same, *counts, "column_names", "column_reason")},
        column_index=reading["column"],
        samples=[
            pb.OddRow(row_number=number, reason=reason, text=text)
            for number, reason, text in reading["samples"]
        ],
    )
