"""TCP connections that the loop has no transport for: one poll object of the system for all.

A connection lives for three round trips, so that making and closing what asyncio keeps for each
would cost more than all it carries. What it does is told to its user as a transport tells it.
"""

import asyncio
import errno
import os
import select
import socket
from socket import SocketType
from typing import Protocol
from weakref import ref

from mailvet.smtp.per_loop import PerLoop

_READ_BYTES = 16 * 1024
"""More than the replies to a whole group."""
_FEW_BYTES = 448
"""More than a greeting, or the replies to a few commands: so little is got without malloc."""
_FEW_SAID_BYTES = 160
"""A reply is seldom twice as long as its command."""
_PACKET_BYTES = 512
"""What fits a packet on every path (RFC 791: 576 with its headers) is sent at once anyway."""
_EVENTS_AT_ONCE = 128
"""Before others of the loop have their turn."""

_ANY_PORT = 0

# As epoll has them; where there is none the loop itself is asked, and told in the same words.
_READABLE, _WRITABLE, _FAILED, _HUNG_UP, _SAID_ALL = 0x001, 0x004, 0x008, 0x010, 0x2000
_ENDED = _FAILED | _HUNG_UP | _SAID_ALL
_MAY_READ = _READABLE | _ENDED


class Line(Protocol):
    """What a connection is to its user."""

    @property
    def has_unsent(self) -> bool:
        """Whether the system has not taken everything yet."""
        ...

    def write(self, data: bytes, /) -> None:
        """Send, as soon as there is room for it; what is closed sends nothing."""
        ...

    def abort(self) -> None:
        """Close it, should it be open; what the system did not take yet is lost."""
        ...

    def detach(self) -> socket.socket:
        """Give the open connection away."""
        ...


class User(Protocol):
    """Whose connection it is."""

    def connection_made(self, wire: Line, /) -> None:
        """Take note that it is there."""
        ...

    def connection_failed(self, error: OSError, /) -> None:
        """Take note that it never came about."""
        ...

    def data_received(self, data: bytes, /) -> None:
        """Take what came."""
        ...

    def connection_lost(self, exc: Exception | None, /) -> None:
        """Take note that nothing will come any more; not told of what was closed from here."""
        ...


class Poll(Protocol):
    """Who tells wires what happens to their sockets."""

    def watch(self, fd: int, wire: "Wire") -> None:
        """Tell the wire when its socket has come up or failed, and then whenever more came."""
        ...

    def await_room(self, fd: int, wire: "Wire") -> None:
        """Tell it once more can be sent."""
        ...

    def forget(self, fd: int) -> None:
        """Tell nothing any more."""
        ...

    def closing(self, fd: int) -> None:
        """The same, for a socket that is closed at once."""
        ...


class Wire:
    """One connection, from the first packet on."""

    __slots__ = ("_at_once", "_fd", "_is_up", "_poll", "_read_bytes", "_socket", "_unsent", "_user")

    def __init__(self, connecting: SocketType, user: User, poll: Poll) -> None:
        self._socket: SocketType | None = connecting
        self._fd = connecting.fileno()
        self._user = user
        self._poll = poll
        self._unsent = b""
        self._is_up = False
        self._read_bytes = _FEW_BYTES
        self._at_once = False
        poll.watch(self._fd, self)

    def write(self, data: bytes) -> None:
        """Send, as soon as there is room for it; what is closed sends nothing."""
        if self._socket is None:
            return
        if self._unsent:
            self._unsent += data
            return
        self._read_bytes = _FEW_BYTES if len(data) <= _FEW_SAID_BYTES else _READ_BYTES
        if len(data) > _PACKET_BYTES and not self._at_once:
            # The second packet must not wait for the host to acknowledge the first.
            self._at_once = True
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:  # told later: who writes may be amid what he was told
            asyncio.get_running_loop().call_soon(self.lose, error)
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._poll.await_room(self._fd, self)

    @property
    def has_unsent(self) -> bool:
        """Whether the system has not taken everything yet."""
        return bool(self._unsent)

    def abort(self) -> None:
        """Close it, should it be open; what the system did not take yet is lost."""
        closed, self._socket = self._socket, None
        if closed is not None:
            self._poll.closing(self._fd)
            closed.close()

    def detach(self) -> socket.socket:
        """Give the open connection away."""
        detached, self._socket = self._socket, None
        assert detached is not None
        self._poll.forget(self._fd)
        return socket.socket(fileno=detached.detach())

    def stirred(self, events: int) -> None:
        """Look what happened."""
        if not self._is_up:
            self._come_up(events)
        elif self._unsent and events & _WRITABLE:
            unsent, self._unsent = self._unsent, b""
            self.write(unsent)
        if events & _MAY_READ:
            self._read(to_the_end=bool(events & _ENDED))

    def _come_up(self, events: int) -> None:
        connecting = self._socket
        assert connecting is not None
        number = 0
        if events & _ENDED:
            number = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.abort()
            self._user.connection_failed(OSError(number, os.strerror(number)))
        else:
            self._is_up = True
            self._user.connection_made(self)

    def _read(self, *, to_the_end: bool) -> None:
        while self._socket is not None:
            try:
                data = self._socket.recv(self._read_bytes)
            except BlockingIOError:
                return
            except OSError as error:
                self.lose(error)
                return
            if not data:
                self.lose(None)
                return
            is_all = len(data) < self._read_bytes
            self._user.data_received(data)
            if is_all and not to_the_end:
                return

    def lose(self, error: OSError | None) -> None:
        """Close it, and tell that nothing will come any more."""
        if self._socket is not None:
            self.abort()
            self._user.connection_lost(error)


def open_wire(address: str, port: int, source_address: str | None, user: User) -> Wire:
    """Begin to connect to an IP address; the user is told how it went.

    Raises `OSError` for what the system refuses at once.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connecting = SocketType(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _begin(connecting, address, port, source_address)
        return Wire(connecting, user, POLLS.of(asyncio.get_running_loop()))
    except BaseException:
        connecting.close()
        raise


def _begin(connecting: SocketType, address: str, port: int, source_address: str | None) -> None:
    if source_address is not None:
        connecting.bind((source_address, _ANY_PORT))
    number = connecting.connect_ex((address, port))
    if number not in (0, errno.EINPROGRESS):
        raise OSError(number, os.strerror(number))


class EpollPoll:
    """All sockets in one epoll object, which the loop watches: a wakeup for many events.

    Edge-triggered: each socket is registered once, and nothing is ever changed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._wires: dict[int, Wire] = {}
        loop.add_reader(self._epoll.fileno(), self._look)

    def watch(self, fd: int, wire: Wire) -> None:
        """See `Poll`."""
        self._epoll.register(fd, _MAY_READ | _WRITABLE | select.EPOLLET)
        self._wires[fd] = wire

    def await_room(self, fd: int, wire: Wire) -> None:
        """See `Poll`: that there is room again is an event of its own."""

    def forget(self, fd: int) -> None:
        """See `Poll`."""
        del self._wires[fd]
        self._epoll.unregister(fd)

    def closing(self, fd: int) -> None:
        """See `Poll`: the system forgets a socket that is closed."""
        del self._wires[fd]

    def _look(self) -> None:
        wires = self._wires
        for fd, events in self._epoll.poll(0, _EVENTS_AT_ONCE):
            wire = wires.get(fd)
            if wire is not None:  # else it was closed by what happened to another
                _stir(wire, events)


class LoopPoll:
    """Each socket watched by the loop: for systems without epoll."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = ref(loop)  # a poll belongs to its loop, which must not live for it

    def watch(self, fd: int, wire: Wire) -> None:
        """See `Poll`."""
        self._here.add_writer(fd, self._come_up, fd, wire)

    def await_room(self, fd: int, wire: Wire) -> None:
        """See `Poll`."""
        self._here.add_writer(fd, self._have_room, fd, wire)

    def forget(self, fd: int) -> None:
        """See `Poll`."""
        self._here.remove_writer(fd)
        self._here.remove_reader(fd)

    def closing(self, fd: int) -> None:
        """See `Poll`."""
        self.forget(fd)

    @property
    def _here(self) -> asyncio.AbstractEventLoop:
        loop = self._loop()
        assert loop is not None
        return loop

    def _come_up(self, fd: int, wire: Wire) -> None:
        self._here.remove_writer(fd)
        self._here.add_reader(fd, _stir, wire, _READABLE)
        _stir(wire, _WRITABLE | _FAILED)

    def _have_room(self, fd: int, wire: Wire) -> None:
        self._here.remove_writer(fd)
        _stir(wire, _WRITABLE)


def _stir(wire: Wire, events: int) -> None:
    """Let a wire look; a fault of its user is the end of this wire alone."""
    try:
        wire.stirred(events)
    except Exception as error:
        told = {"message": "the user of a connection failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(told)
        wire.lose(None)


def _poll(loop: asyncio.AbstractEventLoop) -> Poll:
    return EpollPoll(loop) if hasattr(select, "epoll") else LoopPoll(loop)


POLLS = PerLoop(_poll)
