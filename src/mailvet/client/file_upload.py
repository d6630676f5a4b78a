"""A file on its way to a server, frame by frame, and on from what the server has after a cut."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

import google_crc32c
import grpc

from mailvet.client.errors import ServiceError
from mailvet.v1 import upload_file_pb2 as pb

FRAME_BYTES = 1 << 20
"""Some ten milliseconds of a commit; well under the 3 MiB that a frame may have."""
IN_FLIGHT_FRAMES = 4
"""Frames sent ahead of their acks: enough to hide the round trip."""
_CUT = (grpc.RpcError, asyncio.InvalidStateError)
"""How writing to a cut stream fails; the reader can tell better."""

Request = pb.UploadFileRequest
Response = pb.UploadFileResponse


class FileUpload:
    """One file of one batch."""

    def __init__(
        self,
        batch_id: str,
        source: BinaryIO,
        settings: pb.FileSettings,
        *,
        launch: bool,
        acked: Callable[[Response], None] | None,
        progressed: Callable[[], None],
    ) -> None:
        """`source` must be seekable; `acked` hears every reply, `progressed` when more is kept."""
        self._batch_id = batch_id
        self._source = source
        self._settings = settings
        self._launch = launch
        self._acked = acked
        self._progressed = progressed
        self._room = asyncio.Semaphore(IN_FLIGHT_FRAMES)

    async def run(self, method: Any, metadata: Any) -> Response:
        """Send what is not kept yet over a new stream; return the last reply.

        Raises `grpc.aio.AioRpcError` when the stream is cut, `ServiceError` when the server has
        another file, and whatever the source raises.
        """
        call = method(metadata=metadata)
        try:
            with suppress(*_CUT):
                await call.write(Request(batch_id=self._batch_id, settings=self._settings))
            first = await _read(call)  # which knows why a stream was cut
            self._tell(first)
            self._check_kept(first)
            self._room = asyncio.Semaphore(IN_FLIGHT_FRAMES)
            sender = asyncio.ensure_future(self._send(call, first.size_bytes, first.crc32c))
            reader = asyncio.ensure_future(self._replies(call))
            try:
                await asyncio.wait((sender, reader), return_when=asyncio.FIRST_EXCEPTION)
                if sender.done() and not reader.done():
                    sender.result()
                return await reader
            finally:
                sender.cancel()
                reader.cancel()
                await asyncio.gather(sender, reader, return_exceptions=True)
        finally:
            call.cancel()  # an abandoned call is never collected by itself

    def _check_kept(self, first: Response) -> None:
        """Raise `ServiceError` when what the server has is no beginning of this file."""
        self._source.seek(0)
        at = crc32c = 0
        while data := self._source.read(min(FRAME_BYTES, first.size_bytes - at)):
            crc32c = google_crc32c.extend(crc32c, data)
            at += len(data)
        if (at, crc32c) != (first.size_bytes, first.crc32c):
            raise ServiceError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"batch '{self._batch_id}' has the beginning of another file; make a new batch",
            )

    async def _send(self, call: Any, offset: int, crc32c: int) -> None:
        self._source.seek(offset)
        with suppress(*_CUT):
            while data := self._source.read(FRAME_BYTES):
                await self._room.acquire()
                crc32c = google_crc32c.extend(crc32c, data)
                await call.write(
                    Request(offset=offset, data=data, crc32c=google_crc32c.value(data))
                )
                offset += len(data)
            finish = pb.FinishFile(size_bytes=offset, crc32c=crc32c, launch=self._launch)
            await call.write(Request(finish=finish))
            await call.done_writing()

    async def _replies(self, call: Any) -> Response:
        while True:
            reply = await _read(call)
            self._room.release()
            self._tell(reply)
            if reply.HasField("reading"):
                return reply

    def _tell(self, reply: Response) -> None:
        self._progressed()
        if self._acked:
            self._acked(reply)


async def _read(call: Any) -> Response:
    """Return the next reply; the error of the call when there is none."""
    reply = await call.read()
    if reply == grpc.aio.EOF:  # type: ignore[attr-defined]
        code, details = await call.code(), await call.details()
        raise grpc.aio.AioRpcError(
            code if code is not grpc.StatusCode.OK else grpc.StatusCode.UNAVAILABLE,
            await call.initial_metadata(),
            await call.trailing_metadata(),
            details=details,
            debug_error_string=None,
        )
    found: Response = reply
    return found
