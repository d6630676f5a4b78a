"""A TCP proxy that spoils connections on purpose, between anybody who dials and a real server.

The kinds of trouble ("toxics") are those of Shopify's Toxiproxy: latency, slicer, limit_data,
reset_peer, timeout, slow_close. What is set on a proxy holds for data that comes afterwards, so a
test may make a network sick and well again.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK_BYTES = 16 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of zero: close() sends RST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxics:
    """What is wrong with a network; nothing, when nothing is said."""

    latency_s: float = 0.0
    """Each piece of data is this late."""
    slice_bytes: int = 0
    """Data arrives in pieces of this size at most."""
    slice_gap_s: float = 0.0
    """Between two such pieces."""
    limit_bytes: int | None = None
    """A connection is closed once so much came back through it from the server."""
    reset: bool = False
    """The end after `limit_bytes` is an RST."""
    swallow: bool = False
    """Data is taken and never arrives; nobody is told (a firewall that forgot the connection)."""
    close_delay_s: float = 0.0
    """One side's end of data reaches the other so much later."""


WELL = Toxics()


class Proxy:
    """Listens on an address of its own and passes everything on; an async context manager."""

    def __init__(
        self,
        upstream: tuple[str, int],
        *,
        listen: tuple[str, int] = ("127.0.0.1", 0),
        toxics: Toxics = WELL,
    ) -> None:
        self.toxics = toxics
        self.connections = 0
        """Taken so far."""
        self._upstream = upstream
        self._listen = listen
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def target(self) -> str:
        """Where it listens, as `HOST:PORT`."""
        return f"{self._listen[0]}:{self.port}"

    async def __aenter__(self) -> Self:
        host, port = self._listen
        self._server = await asyncio.start_server(self._take, host, port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.reset_all()

    def reset_all(self) -> None:
        """Reset every connection there is, in both directions."""
        for link in list(self._links):
            link.end(reset=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                far_reader, far_writer = await asyncio.open_connection(*self._upstream)
                link = _Link(self, writer, far_writer)
                self._links.add(link)
                try:
                    await asyncio.gather(
                        link.pass_on(reader, far_writer), link.pass_on(far_reader, writer)
                    )
                finally:
                    link.end(reset=False)
                    self._links.discard(link)
        finally:
            writer.close()
            self._tasks.discard(task)


class _Link:
    """One connection on both sides of the proxy."""

    def __init__(self, proxy: Proxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._near, self._far = near, far
        self._came_back = 0
        self._over = False

    async def pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Pass one direction on to its end."""
        while not self._over and (data := await source.read(CHUNK_BYTES)):
            toxics = self._proxy.toxics
            if toxics.swallow:
                continue
            if toxics.latency_s:
                await asyncio.sleep(toxics.latency_s)
            if sink is self._near and toxics.limit_bytes is not None:
                data = data[: max(0, toxics.limit_bytes - self._came_back)]
                self._came_back += len(data)
            await self._write(sink, data, toxics)
            if toxics.limit_bytes is not None and self._came_back >= toxics.limit_bytes:
                self.end(reset=toxics.reset)
        if not self._over and not self._proxy.toxics.swallow:
            await asyncio.sleep(self._proxy.toxics.close_delay_s)
            with contextlib.suppress(OSError, RuntimeError):
                sink.write_eof()

    async def _write(self, sink: asyncio.StreamWriter, data: bytes, toxics: Toxics) -> None:
        size = toxics.slice_bytes or len(data) or 1
        for start in range(0, len(data), size):
            sink.write(data[start : start + size])
            await sink.drain()
            if toxics.slice_bytes:
                await asyncio.sleep(toxics.slice_gap_s)

    def end(self, *, reset: bool) -> None:
        """Close both sides; with `reset` neither hears a proper end."""
        if self._over:
            return
        self._over = True
        for side in (self._near, self._far):
            raw = side.get_extra_info("socket")
            if reset and raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                side.transport.abort()
            else:
                side.close()
