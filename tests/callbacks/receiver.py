"""A real HTTP server on loopback that notes what it is sent and answers as it is told."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple


class Heard(NamedTuple):
    """One request."""

    line: str
    headers: dict[str, str]
    """By their names in small letters."""
    body: bytes


@dataclass
class Receiver:
    """What was heard, and what is answered next."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    answers: list[bytes | None] = field(default_factory=list)
    """Raw answers, one a request; None says nothing at all; 204 when there are no more."""

    serving: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
            pairs = [line.partition(":") for line in head[1:] if line]
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.heard.append(Heard(head[0], headers, body))
            said = self.answers.pop(0) if self.answers else status(204)
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()


def status(code: int, *headers: str) -> bytes:
    """An answer without a body."""
    lines = [f"HTTP/1.1 {code} X", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def listening(
    tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """Open a receiver on a free port."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
    await asyncio.gather(*receiver.serving, return_exceptions=True)
