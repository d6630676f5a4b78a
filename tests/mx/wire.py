"""A name server on loopback whose packets a test writes itself, for odd behaviour on the wire."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable

from dnslib import MX, QTYPE, RR, DNSHeader, DNSRecord

from mailvet.mx.nameservers import NameServer
from mailvet.mx.transport import DnsTransport

Script = Callable[[DNSRecord, bool], Iterable[bytes]]
"""From a question, and whether it came over TCP, to the packets that go back."""


class WireServer(asyncio.DatagramProtocol):
    """UDP and TCP on one port of one address; `questions` keeps what came, with `tcp` or not."""

    def __init__(self, script: Script, address: str = "127.0.0.1") -> None:
        self.questions: list[tuple[DNSRecord, bool]] = []
        self.port = 0
        self._script = script
        self._address = address

    async def __aenter__(self) -> "WireServer":
        udp, tcp = _bind_pair(self._address)
        self.port = udp.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: self, sock=udp)
        self._tcp = await asyncio.start_server(self._serve, sock=tcp)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    @property
    def over_tcp(self) -> list[bool]:
        """For each question that came, whether it came over TCP."""
        return [tcp for _, tcp in self.questions]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for packet in self._reply(data, tcp=False):
            self._udp.sendto(packet, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            length = int.from_bytes(await reader.readexactly(2), "big")
            for packet in self._reply(await reader.readexactly(length), tcp=True):
                writer.write(len(packet).to_bytes(2, "big") + packet)
            await writer.drain()
        writer.close()

    def _reply(self, data: bytes, *, tcp: bool) -> Iterable[bytes]:
        question = DNSRecord.parse(data)
        self.questions.append((question, tcp))
        return self._script(question, tcp)


def _bind_pair(address: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same port, the first that is free for both."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        udp.bind((address, 0))
        try:
            tcp.bind(udp.getsockname()[:2])
        except OSError:
            udp.close()
            tcp.close()
        else:
            return udp, tcp


def free_port() -> int:
    """A port of loopback where nobody listens just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


TRY_S = 0.2
"""How long a test waits where a try must fail: long for loopback, short for people."""


def transport(*ports: int, timeout_s: float = 9.0, try_s: float = 3.0) -> DnsTransport:
    """A transport that asks ports of loopback."""
    servers = [NameServer("127.0.0.1", port) for port in ports]
    return DnsTransport(servers, timeout_s=timeout_s, try_timeout_s=try_s)


def found(question: DNSRecord) -> DNSRecord:
    """A reply with one MX record."""
    reply = question.reply(ra=1, aa=0)
    reply.add_answer(RR(question.q.qname, QTYPE.MX, ttl=60, rdata=MX("MX.d.test", 10)))
    return reply


def good(question: DNSRecord, tcp: bool) -> list[bytes]:
    """Answers."""
    return [found(question).pack()]


def silent(question: DNSRecord, tcp: bool) -> list[bytes]:
    """Never answers."""
    return []


def coded(code: int) -> Script:
    """Answers with a response code and nothing else."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        reply = question.reply(ra=1, aa=0)
        reply.header.rcode = code
        return [reply.pack()]

    return script


def cut_bare(question: DNSRecord) -> bytes:
    """A header with TC set, and not even the question."""
    return bytes(DNSRecord(DNSHeader(id=question.header.id, qr=1, tc=1)).pack())
