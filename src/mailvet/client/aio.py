"""One connection to a mailvet server: unary calls with retry, streams that resume."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration

from mailvet import __version__
from mailvet.client.errors import ServiceError, from_rpc_error
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    batch_service_pb2_grpc,
    catalog_service_pb2_grpc,
    result_pb2,
    result_service_pb2,
    result_service_pb2_grpc,
    verification_service_pb2,
    verification_service_pb2_grpc,
)

UPLOAD_FRAME = 1000
"""Entries a frame: the knee of the cost curve, and well under 4 MiB for ordinary addresses."""
UPLOAD_FRAME_BYTES = 1_000_000
"""A frame of long inputs is cut here, well under the server's 4 MiB."""
IN_FLIGHT_FRAMES = 8
"""Frames sent ahead of their acks: enough to hide the round trip, few enough to keep in memory."""
RETRIES = 5
FIRST_WAIT_S, MAX_WAIT_S = 0.2, 10.0

_OPTIONS = (
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.primary_user_agent", f"mailvet-python/{__version__}"),
)

T = TypeVar("T")
Frame = result_service_pb2.StreamResultsResponse
Watched = batch_service_pb2.WatchBatchResponse


@asynccontextmanager
async def connect(
    target: str, *, key: str | None = None, root_certificates: bytes | None = None
) -> AsyncIterator["Client"]:
    """Yield a client of the server at `HOST:PORT`; TLS when root certificates are given."""
    if root_certificates is None:
        channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
    else:
        credentials = grpc.ssl_channel_credentials(root_certificates)
        channel = grpc.aio.secure_channel(target, credentials, options=_OPTIONS)
    async with channel:
        yield Client(channel, key)


class Client:
    """The calls of mailvet.v1; every failure is a `ServiceError`."""

    def __init__(self, channel: grpc.aio.Channel, key: str | None = None) -> None:
        self.batches = batch_service_pb2_grpc.BatchServiceStub(channel)
        self.results = result_service_pb2_grpc.ResultServiceStub(channel)
        self.verification = verification_service_pb2_grpc.VerificationServiceStub(channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self._metadata = (("x-api-key", key),) if key else ()

    async def call(
        self,
        method: Any,
        request: Any,
        *,
        timeout_s: float | None = 60.0,
        retries: int = RETRIES,
    ) -> Any:
        """Make a unary call, as in `client.call(client.batches.GetBatch, request)`.

        UNAVAILABLE is tried again up to `retries` times, each time after the delay that the
        server asks for; `timeout_s` is for each try.
        """

        async def once() -> Any:
            return await method(request, metadata=self._metadata, timeout=timeout_s)

        return await _retried(once, retries=retries)

    async def verify_email(self, address: str, *, timeout_s: float = 30.0) -> result_pb2.Result:
        """Return the answer about one address."""
        request = verification_service_pb2.VerifyEmailRequest(input_data=address)
        response = await self.call(self.verification.VerifyEmail, request, timeout_s=timeout_s)
        result: result_pb2.Result = response.result
        return result

    async def create_batch(self, request: batch_service_pb2.CreateBatchRequest) -> batch_pb2.Batch:
        """Create a batch; give a request_id to make it safe to repeat."""
        batch: batch_pb2.Batch = (await self.call(self.batches.CreateBatch, request)).batch
        return batch

    async def upload(
        self,
        batch_id: str,
        entries: Iterable[batch_pb2.Entry],
        *,
        launch: bool = False,
        acked: Callable[[int], None] | None = None,
    ) -> batch_pb2.Batch:
        """Stream entries into a new batch, and launch it when asked; return the batch.

        `acked` is told how many entries are durable. Only the frames in flight are in memory; a
        cut stream is opened again and goes on from what the server has.
        """
        upload = _Upload(batch_id, entries, launch, acked)

        async def once() -> batch_pb2.Batch:
            return await upload.run(self.batches.StreamEntries, self._metadata)

        return await _retried(once, lambda: upload.durable)

    async def stream_results(
        self, request: result_service_pb2.StreamResultsRequest
    ) -> AsyncIterator[Frame]:
        """Yield frames of results to the end, reconnecting after the last frame consumed."""
        async for frame in _resumed(self.results.StreamResults, request, self._metadata):
            yield frame
            request.cursor = frame.cursor or request.cursor

    async def watch(self, batch_id: str, *, heartbeat_s: int = 5) -> AsyncIterator[Watched]:
        """Yield a batch's progress to its end, reconnecting when the server drains."""
        request = batch_service_pb2.WatchBatchRequest(
            batch_id=batch_id, heartbeat_interval=Duration(seconds=heartbeat_s)
        )
        async for frame in _resumed(self.batches.WatchBatch, request, self._metadata):
            yield frame


async def _resumed(method: Any, request: Any, metadata: Any) -> AsyncIterator[Any]:
    failures = 0
    while True:
        call = method(request, metadata=metadata)
        try:
            async for frame in call:
                failures = 0
                if frame.HasField("going_away"):
                    break
                yield frame
                if frame.done:
                    return
            else:
                if getattr(request, "follow", True) is False and request.HasField("follow"):
                    return
            await asyncio.sleep(FIRST_WAIT_S)
        except grpc.aio.AioRpcError as error:
            failures += 1
            await _wait_or_raise(from_rpc_error(error), failures)
        finally:
            call.cancel()  # an abandoned call is never collected by itself


async def _retried(
    once: Callable[[], Awaitable[T]],
    progress: Callable[[], int] = lambda: 0,
    *,
    retries: int = RETRIES,
) -> T:
    """Try again after UNAVAILABLE; progress made in between sets the count back."""
    failures, reached = 0, progress()
    while True:
        try:
            return await once()
        except grpc.aio.AioRpcError as error:
            failures = 1 if progress() > reached else failures + 1
            reached = progress()
            await _wait_or_raise(from_rpc_error(error), failures, retries)


async def _wait_or_raise(error: ServiceError, failures: int, retries: int = RETRIES) -> None:
    # AIP-194: only UNAVAILABLE is retried; RESOURCE_EXHAUSTED when the server says how long.
    waits = error.code is grpc.StatusCode.UNAVAILABLE or (
        error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after_s is not None
    )
    if not waits or failures > retries:
        raise error
    backoff_s = min(FIRST_WAIT_S * 2 ** (failures - 1), MAX_WAIT_S)
    await asyncio.sleep(max(backoff_s, error.retry_after_s or 0.0))


class _Upload:
    """An upload that can be carried on by a new stream."""

    def __init__(
        self,
        batch_id: str,
        entries: Iterable[batch_pb2.Entry],
        launch: bool,
        acked: Callable[[int], None] | None,
    ) -> None:
        self._batch_id = batch_id
        self._source = iter(entries)
        self._launch = launch
        self._acked = acked
        self._kept: list[tuple[int, Sequence[batch_pb2.Entry]]] = []
        self._cut = 0
        self._over = False
        self.durable = 0

    async def run(self, method: Any, metadata: Any) -> batch_pb2.Batch:
        """Send what is not durable yet, and return the batch once all of it is."""
        call = method(metadata=metadata)
        room = asyncio.Semaphore(IN_FLIGHT_FRAMES)
        try:
            await call.write(batch_service_pb2.StreamEntriesRequest(batch_id=self._batch_id))
            self._note(await self._read(call))
            sender = asyncio.ensure_future(self._send(call, room))
            try:
                while True:
                    reply = await self._read(call)
                    self._note(reply, room)
                    if reply.HasField("batch"):
                        batch: batch_pb2.Batch = reply.batch
                        return batch
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
        finally:
            call.cancel()

    async def _read(self, call: Any) -> batch_service_pb2.StreamEntriesResponse:
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
        response: batch_service_pb2.StreamEntriesResponse = reply
        return response

    async def _send(self, call: Any, room: asyncio.Semaphore) -> None:
        for offset, entries in list(self._kept):
            await room.acquire()
            await call.write(self._frame(offset, entries))
        while not self._over:
            await room.acquire()
            entries = self._next_frame()
            if entries:
                self._kept.append((self._cut, entries))
                await call.write(self._frame(self._cut, entries))
                self._cut += len(entries)
        await call.write(
            batch_service_pb2.StreamEntriesRequest(
                finish=batch_service_pb2.FinishUpload(entry_count=self._cut, launch=self._launch)
            )
        )
        await call.done_writing()

    def _frame(
        self, offset: int, entries: Sequence[batch_pb2.Entry]
    ) -> batch_service_pb2.StreamEntriesRequest:
        return batch_service_pb2.StreamEntriesRequest(offset=offset, entries=entries)

    def _next_frame(self) -> list[batch_pb2.Entry]:
        entries: list[batch_pb2.Entry] = []
        size = 0
        for entry in self._source:
            entries.append(entry)
            size += len(entry.input_data) + len(entry.custom)
            if len(entries) == UPLOAD_FRAME or size >= UPLOAD_FRAME_BYTES:
                return entries
        self._over = True
        return entries

    def _note(
        self,
        reply: batch_service_pb2.StreamEntriesResponse,
        room: asyncio.Semaphore | None = None,
    ) -> None:
        self.durable = max(self.durable, reply.entry_count)
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= self.durable:
            del self._kept[0]
            if room is not None:
                room.release()
        if self._acked is not None:
            self._acked(self.durable)
