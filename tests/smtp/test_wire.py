"""Connections without a transport of the loop, watched by epoll and, where there is none, by it."""

import asyncio
import select
import socket

import pytest

from mailvet.smtp import wire
from mailvet.smtp.wire import EpollPoll, Line, LoopPoll, open_wire
from tests.smtp.scripted import HOST, scripted

MUCH = b"x" * (8 << 20)
"""More than the system takes at once."""


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.heard = b""
        self.over = asyncio.Event()

    def connection_made(self, wire: Line) -> None:
        self.told.append("made")

    def connection_failed(self, error: OSError) -> None:
        self.told.append(type(error))
        self.over.set()

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if data.endswith(b"!\r\n"):
            raise RuntimeError("stumbled")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")
        self.over.set()


WATCHERS = ["loop", *(["epoll"] if hasattr(select, "epoll") else [])]


@pytest.fixture(params=WATCHERS)
async def user(request: pytest.FixtureRequest) -> Listener:
    """Somebody to be told, on a loop that watches sockets in one of the two ways."""
    loop = asyncio.get_running_loop()
    wire.POLLS.use(loop, EpollPoll(loop) if request.param == "epoll" else LoopPoll(loop))
    return Listener()


async def test_what_comes_is_told_in_order(user: Listener) -> None:
    """The connection, everything that was said, and then its end."""
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        assert b"QUIT\r\n" == await reader.readline()
        writer.write(MUCH)
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        there = open_wire(HOST, server.sockets[0].getsockname()[1], None, user)
        while user.heard != b"220 mx\r\n":
            await asyncio.sleep(0)
        there.write(b"QUIT\r\n")
        await asyncio.gather(user.over.wait(), served.wait())
    assert ["made", "lost"] == user.told
    assert len(user.heard) == len(b"220 mx\r\n") + len(MUCH)


async def test_what_does_not_fit_is_sent_later(user: Listener) -> None:
    """More than the system takes at once arrives whole, in order."""
    arrived = bytearray()
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        while data := await reader.read(1 << 16):
            arrived.extend(data)
            if len(arrived) == len(MUCH) + 3:
                break
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        there = open_wire(HOST, server.sockets[0].getsockname()[1], None, user)
        while not user.heard:
            await asyncio.sleep(0)
        there.write(MUCH)
        assert there.has_unsent
        there.write(b"end")
        await asyncio.gather(user.over.wait(), served.wait())
    assert (MUCH + b"end", False) == (bytes(arrived), there.has_unsent)


async def test_nobody_listens(user: Listener) -> None:
    """A closed port is a connection that failed, and one that was never made."""
    open_wire(HOST, 9, None, user)
    await user.over.wait()
    assert [ConnectionRefusedError] == user.told


async def test_no_way_there(user: Listener) -> None:
    """What the system knows at once is raised, and leaves no socket behind."""
    with pytest.raises(OSError, match="Cannot assign requested address"):
        open_wire(HOST, 9, "192.0.2.1", user)
    assert not user.told


async def test_the_source_address(user: Listener) -> None:
    """The connection comes from the address it is told to come from."""
    async with scripted(b"220 mx\r\n") as script:
        there = open_wire(HOST, script.port, "127.9.8.1", user)
        while not user.heard:
            await asyncio.sleep(0)
        detached = there.detach()
        assert ("127.9.8.1", (HOST, script.port)) == (
            detached.getsockname()[0],
            detached.getpeername(),
        )
        detached.close()
        await script.ended.wait()


async def test_closed_from_here(user: Listener) -> None:
    """Who closes is told nothing more, may close again, and sends nothing more."""
    async with scripted(b"220 mx\r\n") as script:
        there = open_wire(HOST, script.port, None, user)
        while not user.heard:
            await asyncio.sleep(0)
        there.abort()
        there.abort()
        there.write(b"QUIT\r\n")
        await script.ended.wait()
    assert (["made"], []) == (user.told, script.heard)


async def test_a_host_that_breaks_off(user: Listener) -> None:
    """A reset is told as the end, whether it is seen in reading or in writing."""
    listening = socket.create_server((HOST, 0))
    there = open_wire(HOST, listening.getsockname()[1], None, user)
    accepted, _ = await asyncio.to_thread(listening.accept)
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    accepted.close()
    listening.close()
    there.write(b"EHLO us\r\n")
    await user.over.wait()
    assert "lost" == user.told[-1]


async def test_a_fault_is_the_end_of_one(user: Listener) -> None:
    """A user that stumbles loses his connection; it is reported, and others go on."""
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, told: faults.append(told["exception"])
    )
    other = Listener()
    async with scripted(b"220 ok!\r\n") as bad, scripted(b"220 mx\r\n") as good:
        open_wire(HOST, bad.port, None, user)
        there = open_wire(HOST, good.port, None, other)
        await user.over.wait()
        while not other.heard:
            await asyncio.sleep(0)
        there.abort()
        await asyncio.gather(bad.ended.wait(), good.ended.wait())
    assert (["made", "lost"], ["RuntimeError"]) == (
        user.told,
        [type(fault).__name__ for fault in faults],
    )
