"""An upload that a new stream can carry on: what is sent, what is durable, what is in between."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import grpc

from mailvet.v1 import batch_pb2, batch_service_pb2

FRAME_ENTRIES = 1000
"""The knee of the cost curve, and well under 4 MiB for ordinary addresses."""
FRAME_BYTES = 1_000_000
"""A frame of long inputs is cut here, well under the server's 4 MiB."""
IN_FLIGHT_FRAMES = 8
"""Frames sent ahead of their acks: enough to hide the round trip, few enough to keep in memory."""
_CUT = (grpc.RpcError, asyncio.InvalidStateError)
"""How writing to a cut stream fails; the reader can tell better."""

Request = batch_service_pb2.StreamEntriesRequest
Response = batch_service_pb2.StreamEntriesResponse


class Upload:
    """The entries of one batch on their way to the server."""

    def __init__(
        self,
        batch_id: str,
        entries: Iterable[batch_pb2.Entry],
        *,
        launch: bool,
        acked: Callable[[int], None] | None,
        progressed: Callable[[], None],
    ) -> None:
        """`acked` is told how many entries are durable, `progressed` when they became more."""
        self._batch_id = batch_id
        self._source = iter(entries)
        self._launch = launch
        self._acked = acked
        self._progressed = progressed
        self._kept: list[tuple[int, Sequence[batch_pb2.Entry]]] = []
        self._room = asyncio.Semaphore(IN_FLIGHT_FRAMES)
        self._over = False
        self._durable = 0
        self.sent = 0
        """Entries taken from the source so far."""
        self.finish_sent = False
        """Whether the server may have ended the upload without our knowing."""

    async def run(self, method: Any, metadata: Any) -> batch_pb2.Batch:
        """Send what is not durable yet over a new stream, and return the finished batch.

        Raises `grpc.aio.AioRpcError` when the stream is cut, and whatever the source raises.
        """
        call = method(metadata=metadata)
        try:
            with suppress(*_CUT):
                await call.write(Request(batch_id=self._batch_id))
            self._note(await _read(call))  # which knows why a stream was cut
            self._room = asyncio.Semaphore(IN_FLIGHT_FRAMES)
            return await self._exchange(call)
        finally:
            call.cancel()  # an abandoned call is never collected by itself

    async def _exchange(self, call: Any) -> batch_pb2.Batch:
        sender = asyncio.ensure_future(self._send(call))
        reader = asyncio.ensure_future(self._acks(call))
        try:
            await asyncio.wait((sender, reader), return_when=asyncio.FIRST_EXCEPTION)
            if sender.done() and not reader.done():
                _raise_unless_cut(sender)
            return await reader
        finally:
            sender.cancel()
            reader.cancel()
            await asyncio.gather(sender, reader, return_exceptions=True)

    async def _acks(self, call: Any) -> batch_pb2.Batch:
        while True:
            reply = await _read(call)
            self._note(reply)
            if reply.HasField("batch"):
                batch: batch_pb2.Batch = reply.batch
                return batch

    def _note(self, reply: Response) -> None:
        if reply.entry_count > self._durable:
            self._durable = reply.entry_count
            self._progressed()
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= self._durable:
            del self._kept[0]
            self._room.release()
        if self._acked is not None:
            self._acked(self._durable)

    async def _send(self, call: Any) -> None:
        for offset, entries in list(self._kept):
            await self._room.acquire()
            await call.write(Request(offset=offset, entries=entries))
        while not self._over:
            await self._room.acquire()
            if entries := self._next_frame():
                offset, self.sent = self.sent, self.sent + len(entries)
                self._kept.append((offset, entries))
                await call.write(Request(offset=offset, entries=entries))
        finish = batch_service_pb2.FinishUpload(entry_count=self.sent, launch=self._launch)
        self.finish_sent = True
        await call.write(Request(finish=finish))
        await call.done_writing()

    def _next_frame(self) -> list[batch_pb2.Entry]:
        entries: list[batch_pb2.Entry] = []
        size = 0
        for entry in self._source:
            entries.append(entry)
            size += entry.ByteSize()
            if len(entries) == FRAME_ENTRIES or size >= FRAME_BYTES:
                return entries
        self._over = True
        return entries


def _raise_unless_cut(sender: "asyncio.Task[None]") -> None:
    error = sender.exception()
    if error is not None and not isinstance(error, _CUT):
        raise error


async def _read(call: Any) -> Response:
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
    response: Response = reply
    return response
