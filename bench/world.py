"""A mail internet for load, in a process of its own: it must cost less than what is measured.

    python -m bench.world --list dense [--delay-ms 20]

One listening socket stands for every exchanger, one UDP socket for the name server. A line on
standard input is answered with one line of counts.
"""

import argparse
import asyncio
import json
import socket
import struct
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from bench.shapes import SHAPES, Shape, address_of

_TTL_S = 3600
_A, _MX = 1, 15
_ANSWER_AA_RA = 0x8580
_SO_RCVBUFFORCE = 33
_POINTER_TO_QNAME = b"\xc0\x0c"


def roomy(transport: asyncio.BaseTransport) -> None:
    """Let a burst of packets wait: none must be lost to the bench itself. Needs to be root."""
    bound = transport.get_extra_info("socket")
    bound.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)


class Counts:
    """What was asked for so far."""

    def __init__(self) -> None:
        self.queries = 0
        self.sessions = 0
        self.recipients = 0


class Names(asyncio.DatagramProtocol):
    """Answers MX and A of every name of a shape, NODATA to every other question."""

    def __init__(self, shape: Shape, counts: Counts, delay_s: float) -> None:
        self._shape = shape
        self._counts = counts
        self._delay_s = delay_s
        self._known: dict[bytes, bytes] = {}
        """Answers by question: a resolver's cache."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the way back."""
        self._transport = transport
        roomy(transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer."""
        self._counts.queries += 1
        end = data.index(b"\0", 12) + 5
        question = data[12:end]
        rest = self._known.get(question)
        if rest is None:
            rest = self._known[question] = self._answer(question)
        if self._delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay_s, self._transport.sendto, data[:2] + rest, addr)
        else:
            self._transport.sendto(data[:2] + rest, addr)

    def _answer(self, question: bytes) -> bytes:
        label = question[1 : 1 + question[0]].decode("ascii")
        rdtype = int.from_bytes(question[-4:-2], "big")
        if rdtype == _MX and label[0] == "d":
            name = f"mx{self._shape.exchanger_of(int(label[1:]))}".encode()
            # The rest of the name is that of the question, behind its first label.
            target = bytes([len(name)]) + name + struct.pack(">H", 0xC000 | 12 + 1 + question[0])
            return _packet(question, rdtype, b"\0\x0a" + target)
        if rdtype == _A and label[:2] == "mx":
            return _packet(question, rdtype, socket.inet_aton(address_of(int(label[2:]))))
        return _packet(question, rdtype, None)


def _packet(question: bytes, rdtype: int, data: bytes | None) -> bytes:
    """An answer behind its id; with an OPT record, as every real one has."""
    header = struct.pack(">HHHHH", _ANSWER_AA_RA, 1, data is not None, 0, 1)
    record = b""
    if data is not None:
        record = _POINTER_TO_QNAME + struct.pack(">HHIH", rdtype, 1, _TTL_S, len(data)) + data
    return header + question + record + b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)


class Exchanger(asyncio.Protocol):
    """Any exchanger of the world, to one visitor."""

    def __init__(self, counts: Counts, delay_s: float) -> None:
        self._counts = counts
        self._delay_s = delay_s
        self._held = b""
        self._outbox: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport
        self._counts.sessions += 1
        self._say(b"220 mx.example.net ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer whole lines, all at once."""
        *lines, self._held = (self._held + data).split(b"\r\n")
        if lines:
            self._say(b"".join(map(self._answer, lines)))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4]
        if verb == b"RCPT":
            self._counts.recipients += 1
            if line.startswith(b"RCPT TO:<user"):
                return b"250 2.1.5 Ok\r\n"
            return b"550 5.1.1 " + line[8:] + b": Recipient address rejected: User unknown\r\n"
        if verb == b"EHLO":
            return b"250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
        if verb == b"QUIT":
            return b"221 2.0.0 Bye\r\n"
        return b"250 2.1.0 Ok\r\n"

    def _say(self, reply: bytes) -> None:
        if not self._delay_s:
            self._transport.write(reply)
            return
        self._outbox.append(reply)
        asyncio.get_running_loop().call_later(self._delay_s, self._say_next)

    def _say_next(self) -> None:
        self._transport.write(self._outbox.popleft())


def _listening() -> socket.socket:
    """A socket for every address of the loopback interface, and of no other."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    bound.bind(("0.0.0.0", 0))
    return bound


async def serve(shape: Shape, delay_s: float) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    counts = Counts()
    names, _ = await loop.create_datagram_endpoint(
        partial(Names, shape, counts, delay_s), local_addr=("127.0.0.1", 0)
    )
    bound = _listening()
    await loop.create_server(partial(Exchanger, counts, delay_s), sock=bound, backlog=4096)
    places = {"dns": names.get_extra_info("sockname")[1], "smtp": bound.getsockname()[1]}
    print(json.dumps(places), flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(json.dumps(vars(counts)), flush=True)


class World(NamedTuple):
    """A running world; `resolver` and `smtp_port` are what a server is told of it."""

    resolver: str
    smtp_port: int
    process: asyncio.subprocess.Process

    @property
    def dns_address(self) -> tuple[str, int]:
        """Host and port of the name server."""
        host, _, port = self.resolver.partition(":")
        return host, int(port)

    async def counts(self) -> dict[str, int]:
        """What was asked for so far: DNS queries, SMTP sessions and recipients."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        counts: dict[str, int] = json.loads(await self.process.stdout.readline())
        return counts


@asynccontextmanager
async def world(shape: Shape, delay_ms: float) -> AsyncIterator[World]:
    """Run a world while the context lasts."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.world", "--list", shape.name, "--delay-ms", str(delay_ms)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    places = json.loads(await process.stdout.readline())
    try:
        yield World(f"127.0.0.1:{places['dns']}", places["smtp"], process)
    finally:
        process.stdin.close()
        await process.wait()


def main() -> None:
    """Serve one world, on uvloop."""
    import uvloop

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", choices=SHAPES, default="dense")
    parser.add_argument("--delay-ms", type=float, default=0)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(SHAPES[options.list], options.delay_ms / 1000))


if __name__ == "__main__":
    main()
