"""One SMTP session on the wire: takes lines, plays answers one after another, keeps a record."""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from typing import cast

from mailvet.testbed.commands import MAX_COMMAND_BYTES
from mailvet.testbed.conversation import Conversation
from mailvet.testbed.dialogue import Answer, Then
from mailvet.testbed.places import Host
from mailvet.testbed.sessions import Ended, Exchange, SessionLog
from mailvet.testbed.tls import server_context

RECORDED_REPLY_BYTES = 4096
"""Of a reply that never ends, this much is remembered."""
UNSENT_LIMIT_BYTES = 256 * 1024
"""While so much waits for a client that does not read, an endless reply adds nothing."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of zero: close() sends RST."""


class Session(asyncio.Protocol):
    """Ends in `gone(session)`, however it ends."""

    def __init__(
        self,
        host: Host,
        log: SessionLog,
        converse: Callable[[str], Conversation],
        gone: "Callable[[Session], None]",
    ) -> None:
        self._host, self._log = host, log
        self._converse, self._gone = converse, gone
        self._buffer = b""
        self._playing = False
        self._lost = False
        self._tls_task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the banner."""
        self._transport = cast("asyncio.Transport", transport)
        client = transport.get_extra_info("peername")[0]
        address = transport.get_extra_info("sockname")[0]
        self._conversation = self._converse(client)
        self._record = self._log.begin(self._host.name, address, client)
        self._record.faults = self._conversation.faults
        self._greeted = False
        self._play(b"", self._conversation.greet())

    def data_received(self, data: bytes) -> None:
        """Take what came; it waits while an answer is still being played."""
        if self._playing and not self._greeted:
            self._conversation.faults.append("spoke before the banner")
        self._buffer += data
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note how it ended."""
        if self._lost:
            return
        self._lost = True
        self._ended(Ended.CLIENT_CLOSED if exc is None else Ended.CLIENT_RESET)
        if self._log.recording:  # what it said while an answer was still being played
            lines = self._buffer.splitlines(keepends=True)
            self._record.exchanges += [Exchange(line, b"") for line in lines]
        self._log.end(self._record)
        self._gone(self)

    def abort(self) -> None:
        """End at once, when the bed is taken down."""
        self._ended(Ended.HOST_RESET)
        self._transport.abort()

    def _work(self) -> None:
        while not self._playing and not self._transport.is_closing():
            end = self._buffer.find(b"\n") + 1
            if not end and len(self._buffer) <= MAX_COMMAND_BYTES:
                return
            end = end or len(self._buffer)
            line, self._buffer = self._buffer[:end], self._buffer[end:]
            if line[:5].upper() == b"RCPT ":
                self._log.recipients[self._host.name] += 1
            self._play(line, self._conversation.answer(line, more_waits=bool(self._buffer)))

    def _play(self, command: bytes, answer: Answer) -> None:
        if self._log.recording:
            self._record.exchanges.append(Exchange(command, b""))
        if not answer.delay_s and not answer.interval_s:
            self._send(b"".join(answer.chunks))
            self._follow(answer.then)
            return
        self._playing = True
        chunks = iter(answer.chunks)
        self._later(answer.delay_s, lambda: self._play_on(chunks, answer))

    def _play_on(self, chunks: Iterator[bytes], answer: Answer) -> None:
        if self._transport.is_closing():
            return
        waiting = self._transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES
        chunk = b"" if waiting else next(chunks, None)
        if chunk is not None:
            self._send(chunk)
            self._later(answer.interval_s, lambda: self._play_on(chunks, answer))
            return
        self._playing = False
        self._follow(answer.then)
        self._work()

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay_s, act)

    def _send(self, data: bytes) -> None:
        if not data:
            return
        self._greeted = True
        self._transport.write(data)
        if self._log.recording:
            command, reply = self._record.exchanges[-1]
            self._record.exchanges[-1] = Exchange(command, (reply + data)[:RECORDED_REPLY_BYTES])

    def _follow(self, then: Then) -> None:
        if then is Then.START_TLS:
            self._playing = True
            self._buffer = b""
            self._tls_task = asyncio.get_running_loop().create_task(self._start_tls())
        elif then is Then.IGNORE:
            self._playing = True
        elif then is Then.CLOSE:
            self._ended(Ended.QUIT if self._conversation.said_quit else Ended.HOST_CLOSED)
            self._transport.close()
        elif then is Then.RESET:
            self._ended(Ended.HOST_RESET)
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()

    def _ended(self, ended: Ended) -> None:
        if self._record.ended is Ended.OPEN:
            self._record.ended = ended

    async def _start_tls(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            secure = await loop.start_tls(self._transport, self, server_context(), server_side=True)
        except OSError as error:  # the handshake failed, or the client went away
            self._conversation.faults.append(f"TLS: {error}")
            self.connection_lost(error)
            return
        self._transport = cast("asyncio.Transport", secure)
        self._record.tls = True
        self._conversation.tls_started()
        self._playing = False
        self._work()
