"""A mail host that says exact bytes, for what no personality of the testbed says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.9.8.7"


class Script:
    """Says one line of bytes at a time: the first unasked, each other one after a command."""

    def __init__(self, replies: list[bytes]) -> None:
        self.heard: list[bytes] = []
        self.port = 0
        self.ended = asyncio.Event()
        """Set when the visitor has closed the connection."""
        self.visited = False
        self._replies = replies

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the script to one visitor, then stay silent until it goes."""
        self.visited = True
        with suppress(ConnectionError):
            for reply in self._replies:
                writer.write(reply)
                line = await reader.readline()
                if not line:
                    break
                self.heard.append(line)
            while line := await reader.readline():
                self.heard.append(line)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.ended.set()


@asynccontextmanager
async def scripted(*replies: bytes) -> AsyncIterator[Script]:
    """Listen on a free port of loopback while the context lasts."""
    script = Script(list(replies))
    server = await asyncio.start_server(script.converse, HOST, 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        if script.visited:
            await script.ended.wait()
        await server.wait_closed()
