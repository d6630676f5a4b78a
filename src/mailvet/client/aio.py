"""One connection to a mailvet server: unary calls with retry, streams that resume."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration

from mailvet import __version__
from mailvet.client.download import Download
from mailvet.client.errors import ServiceError, from_rpc_error
from mailvet.client.file_upload import FileUpload
from mailvet.client.lines import entries_of
from mailvet.client.patience import Patience, retried
from mailvet.client.upload import Upload
from mailvet.client.versions import difference
from mailvet.v1 import (
    account_service_pb2_grpc,
    batch_pb2,
    batch_service_pb2,
    batch_service_pb2_grpc,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    export_pb2,
    result_pb2,
    result_service_pb2,
    result_service_pb2_grpc,
    upload_file_pb2,
    verification_service_pb2,
    verification_service_pb2_grpc,
)

PATIENCE_S = 60.0
"""A server is restarted, or moved to another machine, in less."""
KEEPALIVE_S = 30.0
"""Shorter than what firewalls and load balancers forget a quiet connection after."""

_OPTIONS = (
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.keepalive_timeout_ms", 20_000),
    # An unanswered ping ends the connection by this one, a minute where nothing is said.
    ("grpc.http2.ping_timeout_ms", 20_000),
    # A reader sends nothing for hours: without this its connection is asked twice and no more.
    ("grpc.http2.max_pings_without_data", 0),
    # gRPC's own wait before it dials again is up to two minutes; ours decides (patience.py).
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.primary_user_agent", f"mailvet-python/{__version__}"),
)

S = TypeVar("S")
Frame = result_service_pb2.StreamResultsResponse
Watched = batch_service_pb2.WatchBatchResponse
Explained = verification_service_pb2.ExplainEmailResponse


@asynccontextmanager
async def connect(
    target: str,
    *,
    key: str | None = None,
    tls: bool | grpc.ChannelCredentials = False,
    root_certificates: bytes | None = None,
    keepalive_s: float = KEEPALIVE_S,
    patience_s: float = PATIENCE_S,
) -> AsyncIterator["Client"]:
    """Yield a client of the server at `HOST:PORT`.

    `key` is an API key, or a token that AuthService issued for one. With `tls`, the system's root
    certificates must vouch for the server; with `root_certificates` (PEM), these;
    `grpc.ssl_channel_credentials(...)` as `tls` has a certificate of the client's own too. A
    connection is asked for a sign of life after `keepalive_s` seconds without one. A server that
    is unavailable is waited for `patience_s` seconds.
    """
    options = (*_OPTIONS, ("grpc.keepalive_time_ms", int(keepalive_s * 1000)))
    if tls or root_certificates is not None:
        own = tls if isinstance(tls, grpc.ChannelCredentials) else None
        credentials = own or grpc.ssl_channel_credentials(root_certificates)
        channel = grpc.aio.secure_channel(target, credentials, options=options)
    else:
        channel = grpc.aio.insecure_channel(target, options=options)
    async with channel:
        yield Client(channel, key, patience_s=patience_s)


class Client:
    """The calls of mailvet.v1; every failure is a `ServiceError`.

    `batches`, `results`, `verification`, `accounts` and `catalog` are generated stubs, for
    `client.call(client.batches.GetBatch, request)`; `stub` makes those of every other service.
    """

    def __init__(
        self, channel: grpc.aio.Channel, key: str | None = None, *, patience_s: float = PATIENCE_S
    ) -> None:
        self.batches = batch_service_pb2_grpc.BatchServiceStub(channel)
        self.results = result_service_pb2_grpc.ResultServiceStub(channel)
        self.verification = verification_service_pb2_grpc.VerificationServiceStub(channel)
        self.accounts = account_service_pb2_grpc.AccountServiceStub(channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self._channel = channel
        self._metadata = (("x-api-key", key),) if key else ()
        self._patience_s = patience_s

    def stub(self, kind: Callable[[grpc.aio.Channel], S]) -> S:
        """Return the stub of a service: `client.stub(batch_service_pb2_grpc.BatchServiceStub)`.

        `call` makes its unary calls; a streaming one is given `metadata=client.metadata`.
        """
        return kind(self._channel)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries: the key."""
        return self._metadata

    async def call(
        self,
        method: Any,
        request: Any,
        *,
        timeout_s: float | None = 60.0,
        patience_s: float | None = None,
    ) -> Any:
        """Make a unary call and return the response.

        While the server is unavailable the call is made again, for `patience_s` (the client's)
        seconds; `timeout_s` is for each try.
        """

        async def once() -> Any:
            return await method(request, metadata=self._metadata, timeout=timeout_s)

        return await retried(once, Patience(self._patience_s if patience_s is None else patience_s))

    async def verify_email(self, address: str, *, timeout_s: float = 30.0) -> result_pb2.Result:
        """Return the answer about one address; `timeout_s` is how long the server may look."""
        request = verification_service_pb2.VerifyEmailRequest(input_data=address)
        response = await self.call(self.verification.VerifyEmail, request, timeout_s=timeout_s)
        result: result_pb2.Result = response.result
        return result

    async def explain_email(
        self,
        address: str,
        *,
        custom: str = "",
        timeout_s: float = 120.0,
        bare_domains: bool = False,
    ) -> AsyncGenerator[Explained, None]:
        """Yield every step of one verification as it happens; the last frame has the result.

        It cannot be resumed: after a failure, ask again. Stopping early ends the work. With
        `bare_domains` the address may be a domain.
        """
        request = verification_service_pb2.ExplainEmailRequest(
            input_data=address, custom=custom, bare_domains=bare_domains
        )
        call = self.verification.ExplainEmail(request, metadata=self._metadata, timeout=timeout_s)
        try:
            async for frame in call:
                yield frame
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()  # an abandoned call is never collected by itself

    async def create_batch(self, request: batch_service_pb2.CreateBatchRequest) -> batch_pb2.Batch:
        """Create a batch and return it; without a request_id it gets one, to be safe to repeat."""
        asked = batch_service_pb2.CreateBatchRequest()
        asked.CopyFrom(request)
        asked.request_id = request.request_id or str(uuid.uuid4())
        batch: batch_pb2.Batch = (await self.call(self.batches.CreateBatch, asked)).batch
        return batch

    async def upload(
        self,
        batch_id: str,
        entries: Iterable[batch_pb2.Entry],
        *,
        launch: bool = False,
        acked: Callable[[int], None] | None = None,
    ) -> batch_pb2.Batch:
        """Stream all entries of a batch in, launch it when asked, and return it.

        `acked` is told how many entries are durable. Only the frames in flight are in memory. A
        cut stream is opened again and goes on from what the server has; so does a second upload
        of the same entries, in another process too.
        """
        patience = Patience(self._patience_s)
        upload = Upload(
            batch_id, entries, launch=launch, acked=acked, progressed=patience.progressed
        )

        async def once() -> batch_pb2.Batch:
            return await upload.run(self.batches.StreamEntries, self._metadata)

        try:
            return await retried(once, patience)
        except ServiceError as error:
            if error.reason != "WRONG_STATE" or not upload.finish_sent:
                raise
            # Perhaps the stream was cut after the end of the upload, before we heard of it.
            request = batch_service_pb2.GetBatchRequest(batch_id=batch_id)
            batch: batch_pb2.Batch = (await self.call(self.batches.GetBatch, request)).batch
            if batch.entry_count != upload.sent or not launch:
                raise
            return batch

    async def upload_file(
        self,
        batch_id: str,
        source: BinaryIO,
        settings: upload_file_pb2.FileSettings | None = None,
        *,
        launch: bool = False,
        acked: Callable[[upload_file_pb2.UploadFileResponse], None] | None = None,
    ) -> upload_file_pb2.UploadFileResponse:
        """Send a file with a list of addresses into an empty batch; return the last reply.

        It has how the file was read, and the batch. `source` must be seekable: a cut stream goes
        on from what the server has, and so does a second upload of the same file.
        """
        patience = Patience(self._patience_s)
        settings = settings or upload_file_pb2.FileSettings()
        upload = FileUpload(
            batch_id, source, settings, launch=launch, acked=acked, progressed=patience.progressed
        )
        return await retried(lambda: upload.run(self.batches.UploadFile, self._metadata), patience)

    async def stream_results(
        self, request: result_service_pb2.StreamResultsRequest
    ) -> AsyncGenerator[Frame, None]:
        """Yield frames of results to the end of the batch (of what there is, without `follow`).

        A cut stream goes on after the last frame that was taken: no gap, no repeat. To go on in
        another process, keep the cursor of the last frame dealt with.
        """
        asked = result_service_pb2.StreamResultsRequest()
        asked.CopyFrom(request)
        once = asked.HasField("follow") and not asked.follow
        async with aclosing(self._resumed(self.results.StreamResults, asked, once=once)) as frames:
            async for frame in frames:
                if frame.results and frame.cursor == asked.cursor:
                    continue  # results move the cursor: this frame was here before
                yield frame
                asked.cursor = frame.cursor or asked.cursor

    async def watch(self, batch_id: str, *, heartbeat_s: int = 5) -> AsyncGenerator[Watched, None]:
        """Yield a batch's progress to its end; a cut stream is opened again."""
        request = batch_service_pb2.WatchBatchRequest(
            batch_id=batch_id, heartbeat_interval=Duration(seconds=heartbeat_s)
        )
        async with aclosing(self._resumed(self.batches.WatchBatch, request)) as frames:
            async for frame in frames:
                yield frame

    async def export(
        self,
        request: result_service_pb2.ExportResultsRequest,
        out: BinaryIO,
        *,
        progressed: Callable[[int, int], None] | None = None,
    ) -> export_pb2.ExportedFile:
        """Write a file of a batch's results into `out`, and return what the server says of it.

        A cut stream goes on with the byte after the last; `progressed` is told how many results
        are prepared and how many bytes are there. When a batch that still runs has other results
        by then, `out` is written anew if it can be.
        """
        download = Download(request, out, progressed)
        while True:
            method = self.results.ExportResults
            async with aclosing(self._resumed(method, download.request)) as frames:
                try:
                    await download.take(frames)
                except ServiceError as error:
                    if error.reason != "ETAG_MISMATCH" or not download.restart():
                        raise
                else:
                    return download.file

    async def verify_file(
        self,
        path: str | Path,
        *,
        progress: Callable[[int, int], None] | None = None,
        batch: batch_service_pb2.CreateBatchRequest | None = None,
    ) -> AsyncGenerator[result_pb2.Result, None]:
        """Verify a text file, one address a line, and yield the results as they come.

        `progress` is told how many results there are, of how many entries. `batch` says how to
        verify. Raises `OSError` or `UnicodeError` when the file cannot be read as UTF-8.
        """
        asked = batch_service_pb2.CreateBatchRequest(name=Path(path).name)
        if batch is not None:
            asked.MergeFrom(batch)
        tell = progress or _nobody
        made = await self.create_batch(asked)
        made = await self.upload(
            made.batch_id, entries_of(path), launch=True, acked=lambda kept: tell(0, kept)
        )
        request = result_service_pb2.StreamResultsRequest(batch_id=made.batch_id)
        answered = 0
        async with aclosing(self.stream_results(request)) as frames:
            async for frame in frames:
                answered += len(frame.results)
                tell(answered, made.entry_count)
                for result in frame.results:
                    yield result

    async def check_server(self) -> str:
        """Return what is wrong with the server's version for this client; empty when nothing is.

        A difference is told, never refused: most calls work across versions.
        """
        request = catalog_service_pb2.GetServerInfoRequest()
        try:
            info = await self.call(self.catalog.GetServerInfo, request)
        except ServiceError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return difference(__version__, "")
        return difference(__version__, info.version)

    async def _resumed(
        self, method: Any, request: Any, *, once: bool = False
    ) -> AsyncGenerator[Any, None]:
        """Yield the frames of a stream that is opened again, with what `request` says by then."""
        patience = Patience(self._patience_s)
        while True:
            call = method(request, metadata=self._metadata)
            pause_s = 0.0
            try:
                async for frame in call:
                    patience.progressed()
                    if frame.HasField("going_away"):
                        pause_s = frame.going_away.retry_delay.ToTimedelta().total_seconds()
                        break
                    yield frame
                    if frame.done:
                        return
                else:
                    if once:
                        return
                await patience.rest(pause_s)
            except grpc.aio.AioRpcError as error:
                await patience.wait_or_raise(error)
            finally:
                call.cancel()  # an abandoned call is never collected by itself


def _nobody(answered: int, total: int) -> None:
    """Nobody asked for progress."""
