"""A name server on loopback whose packets a test writes itself, for odd behaviour on the wire."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable

from dnslib import DNSRecord

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
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve, self._address, 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._address, self.port)
        )
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


def free_port() -> int:
    """A port of loopback where nobody listens just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
