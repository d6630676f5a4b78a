import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

import pytest

from mailvet.model.reply import Trouble
from mailvet.smtp.connect import NotConnected, connect, tls_context
from mailvet.smtp.framing import GatedProtocol, read_reply
from mailvet.smtp.identity import Identity
from tests.smtp.people import US
from tests.smtp.scripted import HOST, scripted


class Socks:
    """A SOCKS5 proxy (RFC 1928) that answers CONNECT with `verdict`, and passes bytes on 0."""

    def __init__(self, verdict: int) -> None:
        self.verdict = verdict
        self.asked: list[tuple[str, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\x05\x00")
            assert b"\x05\x01\x00\x01" == await reader.readexactly(4)
            address = str(ip_address(await reader.readexactly(4)))
            port = int.from_bytes(await reader.readexactly(2), "big")
            self.asked.append((address, port))
            writer.write(bytes([5, self.verdict, 0, 1, 0, 0, 0, 0, 0, 0]))
            if not self.verdict:
                await self._pass_on(reader, writer, address, port)
        writer.close()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: str,
        port: int,
    ) -> None:
        there, out = await asyncio.open_connection(address, port)
        writer.write(await there.readline())
        await reader.read()
        out.close()
        await out.wait_closed()


@asynccontextmanager
async def socks(verdict: int) -> AsyncIterator[tuple[Socks, Identity]]:
    proxy = Socks(verdict)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, Identity(helo="us.test", proxy=f"socks5://127.0.0.1:{port}")
    finally:
        server.close()
        await server.wait_closed()


async def test_through_a_proxy() -> None:
    """The proxy is asked for the checked IP address, and the banner comes through it."""
    async with scripted(b"220 mx\r\n") as script, socks(0) as (proxy, us):
        protocol = await connect(HOST, script.port, us, 5, GatedProtocol)
        assert 220 == read_reply(await protocol.read_response(timeout=5)).code
        assert protocol.transport is not None
        protocol.transport.close()
        await script.ended.wait()
    assert [(HOST, script.port)] == proxy.asked


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        (Trouble.UNREACHABLE, 1),
        (Trouble.UNREACHABLE, 2),
        (Trouble.UNREACHABLE, 3),
        (Trouble.UNREACHABLE, 4),
        (Trouble.REFUSED, 5),
        (Trouble.TIMEOUT, 6),
    ],
)
async def test_what_a_proxy_says(expected: Trouble, verdict: int) -> None:
    """The exchanger's troubles are told apart from those of the proxy (RFC 1928 6)."""
    async with socks(verdict) as (_, us):
        with pytest.raises(NotConnected) as failure:
            await connect(HOST, 9, us, 5, GatedProtocol)
    assert expected is failure.value.trouble


async def test_a_dead_proxy_is_our_trouble() -> None:
    """When the proxy does not listen, the exchanger has refused nothing."""
    us = Identity(helo="us.test", proxy="socks5://127.0.0.1:9")
    with pytest.raises(NotConnected) as failure:
        await connect(HOST, 9, us, 5, GatedProtocol)
    assert Trouble.UNREACHABLE is failure.value.trouble


async def test_a_closed_port() -> None:
    """A port nobody listens on refuses."""
    with pytest.raises(NotConnected) as failure:
        await connect(HOST, 9, US, 5, GatedProtocol)
    assert (Trouble.REFUSED, False) == (failure.value.trouble, failure.value.at_once)


async def test_no_time_left() -> None:
    """With no time to connect in, it is a timeout, whatever the port."""
    with pytest.raises(NotConnected) as failure:
        await connect(HOST, 9, US, 0, GatedProtocol)
    assert Trouble.TIMEOUT is failure.value.trouble


async def test_the_other_ip_version() -> None:
    """From an IPv4 source address no IPv6 address can be dialled, and that is known at once."""
    us = Identity(helo="us.test", source_address="127.0.0.1")
    with pytest.raises(NotConnected) as failure:
        await connect("::1", 9, us, 5, GatedProtocol)
    assert (Trouble.UNREACHABLE, True) == (failure.value.trouble, failure.value.at_once)


def test_tls_context_is_made_once() -> None:
    """One context serves all sessions: making one costs more than a dialogue."""
    assert tls_context() is tls_context()
    assert not tls_context().check_hostname
