"""The client for programs without asyncio: the same calls by the same names.

with connect("localhost:50051", key="mv_...") as client:
    answer = client.verify_email("ann@example.com")

The calls are the asynchronous client's own, carried out on a thread with an event loop; callbacks
are called there. One client may serve many threads.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import grpc

from mailvet.client import aio
from mailvet.client.aio import KEEPALIVE_S, PATIENCE_S, Explained, Frame, Watched
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    export_pb2,
    result_pb2,
    result_service_pb2,
    upload_file_pb2,
)

S = TypeVar("S")
T = TypeVar("T")


@contextmanager
def connect(
    target: str,
    *,
    key: str | None = None,
    tls: bool | grpc.ChannelCredentials = False,
    root_certificates: bytes | None = None,
    keepalive_s: float = KEEPALIVE_S,
    patience_s: float = PATIENCE_S,
) -> Iterator["Client"]:
    """Yield a client of the server at `HOST:PORT`; see `mailvet.client.connect`."""
    with _loop() as loop:
        connection = aio.connect(
            target,
            key=key,
            tls=tls,
            root_certificates=root_certificates,
            keepalive_s=keepalive_s,
            patience_s=patience_s,
        )
        client = Client(_wait(loop, connection.__aenter__()), loop)
        try:
            yield client
        finally:
            _wait(loop, connection.__aexit__(None, None, None))


class Client:
    """The calls of `mailvet.client.Client`, each waited for."""

    def __init__(self, client: aio.Client, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self.batches = client.batches
        self.results = client.results
        self.verification = client.verification
        self.accounts = client.accounts
        self.catalog = client.catalog

    def stub(self, kind: Callable[[grpc.aio.Channel], S]) -> S:
        """Return the stub of any service, for `call`."""
        return self._client.stub(kind)

    def call(
        self,
        method: Any,
        request: Any,
        *,
        timeout_s: float | None = 60.0,
        patience_s: float | None = None,
    ) -> Any:
        """Make a unary call of one of the stubs and return the response."""
        return self._run(
            self._client.call(method, request, timeout_s=timeout_s, patience_s=patience_s)
        )

    def verify_email(self, address: str, *, timeout_s: float = 30.0) -> result_pb2.Result:
        """Return the answer about one address; `timeout_s` is how long the server may look."""
        return self._run(self._client.verify_email(address, timeout_s=timeout_s))

    def explain_email(
        self,
        address: str,
        *,
        custom: str = "",
        timeout_s: float = 120.0,
        bare_domains: bool = False,
    ) -> Iterator[Explained]:
        """Yield every step of one verification as it happens; the last frame has the result.

        With `bare_domains` the address may be a domain.
        """
        steps = self._client.explain_email(
            address, custom=custom, timeout_s=timeout_s, bare_domains=bare_domains
        )
        return self._each(steps)

    def create_batch(self, request: batch_service_pb2.CreateBatchRequest) -> batch_pb2.Batch:
        """Create a batch and return it; without a request_id it gets one, to be safe to repeat."""
        return self._run(self._client.create_batch(request))

    def upload(
        self,
        batch_id: str,
        entries: Iterable[batch_pb2.Entry],
        *,
        launch: bool = False,
        acked: Callable[[int], None] | None = None,
    ) -> batch_pb2.Batch:
        """Stream all entries of a batch in, launch it when asked, and return it."""
        return self._run(self._client.upload(batch_id, entries, launch=launch, acked=acked))

    def upload_file(
        self,
        batch_id: str,
        source: BinaryIO,
        settings: upload_file_pb2.FileSettings | None = None,
        *,
        launch: bool = False,
        acked: Callable[[upload_file_pb2.UploadFileResponse], None] | None = None,
    ) -> upload_file_pb2.UploadFileResponse:
        """Send a file with a list of addresses into an empty batch; return the last reply."""
        upload = self._client.upload_file(batch_id, source, settings, launch=launch, acked=acked)
        return self._run(upload)

    def stream_results(
        self, request: result_service_pb2.StreamResultsRequest
    ) -> Generator[Frame, None, None]:
        """Yield frames of results to the end of the batch, through cuts and drains."""
        return self._each(self._client.stream_results(request))

    def watch(self, batch_id: str, *, heartbeat_s: int = 5) -> Generator[Watched, None, None]:
        """Yield a batch's progress to its end; a cut stream is opened again."""
        return self._each(self._client.watch(batch_id, heartbeat_s=heartbeat_s))

    def verify_file(
        self,
        path: str | Path,
        *,
        progress: Callable[[int, int], None] | None = None,
        batch: batch_service_pb2.CreateBatchRequest | None = None,
    ) -> Generator[result_pb2.Result, None, None]:
        """Verify a text file, one address a line, and yield the results as they come."""
        return self._each(self._client.verify_file(path, progress=progress, batch=batch))

    def export(
        self,
        request: result_service_pb2.ExportResultsRequest,
        out: BinaryIO,
        *,
        progressed: Callable[[int, int], None] | None = None,
    ) -> export_pb2.ExportedFile:
        """Write a file of a batch's results into `out`, and return what the server says of it."""
        return self._run(self._client.export(request, out, progressed=progressed))

    def check_server(self) -> str:
        """Return what is wrong with the server's version for this client; empty when nothing is."""
        return self._run(self._client.check_server())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return _wait(self._loop, work)

    def _each(self, source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        try:
            while True:
                try:
                    item = self._run(source.__anext__())
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._run(source.aclose())


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield an event loop that runs on a thread of its own.

    All of its life is there: the caller's thread may have a loop too, as in a notebook.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        over = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), over))
        await over.wait()

    thread = threading.Thread(
        target=asyncio.run, args=(live(),), name="mailvet-client", daemon=True
    )
    thread.start()
    loop, over = started.result()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def _wait(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; an interrupted wait (Ctrl-C) ends the work too."""
    future = asyncio.run_coroutine_threadsafe(_awaited(work), loop)
    try:
        return future.result()
    finally:
        future.cancel()


async def _awaited(work: Coroutine[Any, Any, T]) -> T:
    return await work
