"""How plain questions travel: many on one socket, and by the library where anything is odd.

A socket is connected to one name server (RFC 5452 9.1: hears no other source), every question has
a random id, and a socket that has asked its share, or hears what it did not ask for, makes room
for one with another port. One that has nothing to wait for is closed, so that at leisure every
question has a port of its own.
"""

import asyncio
import os
import socket
import time
from array import array
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from mailvet.mx.answer import Answer, AnswerKind, RecordType, Rest
from mailvet.mx.nameservers import NameServer
from mailvet.mx.packet import Asked, answers, pack, query_of, unpack
from mailvet.mx.transport import DnsTransport

MAX_IN_FLIGHT = 512
"""So many answers fit the receive buffers of the sockets together (about 200 each), should all
come at once."""

_LANES = 4
_QUESTIONS_A_PORT = 256
"""Whoever would forge an answer has as long as this lasts to find the port."""
_STRAYS = 16
"""Packets nobody asked for: more than late answers, it is somebody who guesses."""
_PACKETS_AT_ONCE = 64
"""Read before others have their turn."""
_PACKET_BYTES = 4096

_CHANCE_BYTES = 4096
"""Of chance, taken from the system at once: a call for each question costs as much as the rest."""

Told = Callable[[Answer | None, Rest], None]


class _Chance:
    """Numbers nobody can guess, from the system's own source."""

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def take(self) -> int:
        """A number of 16 bits; none is ever given out twice."""
        if not self._numbers:
            self._numbers = array("H", os.urandom(_CHANCE_BYTES)).tolist()
        return self._numbers.pop()


class PlainAsk:
    """An `Ask`: plain questions once over UDP, by hand; then, for the rest, a `DnsTransport`.

    The first try goes to the server the transport would ask first. Silence, failure, truncation
    and every answer that is not plain lead to the transport, within the same `timeout_s`.
    """

    def __init__(self, transport: DnsTransport, *, max_in_flight: int = MAX_IN_FLIGHT) -> None:
        self._transport = transport
        self._room = asyncio.Semaphore(max_in_flight)
        self._max_in_flight = max_in_flight
        self._begun = 0
        self._queued: deque[_Begun] = deque()
        self._chance = _Chance()
        self._lanes: list[_Lane] = []
        self._server: NameServer | None = None

    async def __call__(self, name: str, rdtype: RecordType) -> Answer:
        """Return the answer to a question; see `mx.answer.Ask`."""
        asked = pack(name, rdtype)
        if asked is None:
            return await self._transport(name, rdtype)
        async with self._room:
            awaited = _Awaited(asked)
            answer = await self._try(awaited)
        return answer or await self.rest(asked, awaited.sent_at)

    def begin(self, name: str, rdtype: RecordType, told: Told) -> bool:
        """Send a question as soon as there is room, if it is plain; see `mx.answer.Begin`."""
        asked = pack(name, rdtype)
        if asked is None:
            return False
        begun = _Begun(self, asked, told)
        if self._begun < self._max_in_flight:
            self._send(begun)
        else:
            self._queued.append(begun)
        return True

    def ended(self) -> None:
        """Let the next question go: one has its answer."""
        self._begun -= 1
        if self._queued:
            self._send(self._queued.popleft())

    def rest(self, asked: Asked, sent_at: float) -> Awaitable[Answer]:
        """Ask by the library what was asked in vain, in what is left of its time."""
        spent_s = time.monotonic() - sent_at
        return self._transport.ask(asked.name, asked.rdtype, spent_s=spent_s)

    def _send(self, begun: "_Begun") -> None:
        self._begun += 1
        try:
            self._lane().ask(begun)
        except OSError:
            asyncio.get_running_loop().call_soon(begun.hear, None)

    async def _try(self, awaited: "_Awaited") -> Answer | None:
        """The answer, if it is plain and comes in time."""
        try:
            lane = self._lane()
            number = lane.ask(awaited)
        except OSError:
            return None
        try:
            return await awaited.packet
        finally:
            lane.leave(number)

    def _lane(self) -> "_Lane":
        """One of a few sockets, by chance; raises `OSError` when there can be none."""
        lanes = self._lanes
        if self._transport.first is not self._server:
            self._server = self._transport.first
            lanes = self._lanes = []
        at = self._chance.take() % _LANES
        if at >= len(lanes):
            at = len(lanes)
            lanes.append(self._new_lane())
        elif not lanes[at].usable:
            lanes[at] = self._new_lane()
        return lanes[at]

    def _new_lane(self) -> "_Lane":
        transport = self._transport
        server = transport.first
        return _Lane(
            server,
            transport.try_timeout_s,
            chance=self._chance,
            silent=lambda: transport.note(server, AnswerKind.TIMEOUT),
        )


class _Waiting(Protocol):
    """A question under way."""

    asked: Asked
    sent_at: float
    """In monotonic seconds."""

    def hear(self, answer: Answer | None) -> None:
        """Take the answer, or that there is none."""
        ...


class _Begun:
    """One that was sent, or will be, without a task of its own."""

    __slots__ = ("_by", "_told", "asked", "sent_at")

    def __init__(self, by: PlainAsk, asked: Asked, told: Told) -> None:
        self.asked = asked
        self.sent_at = 0.0
        self._by = by
        self._told = told

    def hear(self, answer: Answer | None) -> None:
        """Let the next question go, and tell who asked."""
        self._by.ended()
        self._told(answer, self)

    def __call__(self) -> Awaitable[Answer]:
        """See `Rest`."""
        return self._by.rest(self.asked, self.sent_at)


class _Awaited:
    """One that somebody awaits."""

    __slots__ = ("asked", "packet", "sent_at")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sent_at = 0.0
        self.packet: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    def hear(self, answer: Answer | None) -> None:
        """Hand it over, if it is still awaited."""
        if not self.packet.done():
            self.packet.set_result(answer)


class _Lane:
    """One connected socket and the questions that wait on it; closes itself when none does."""

    def __init__(
        self,
        server: NameServer,
        timeout_s: float,
        *,
        chance: _Chance,
        silent: Callable[[], None],
    ) -> None:
        self._timeout_s = timeout_s
        self._chance = chance
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, _Waiting] = {}
        self._asked = 0
        self._strays = 0
        self._timer: asyncio.TimerHandle | None = None
        self._open = True
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        # Bound once: to look a method of a socket up takes a tenth of what it does.
        self._send = self._socket.send
        self._receive = self._socket.recv
        try:
            self._socket.connect((server.host, server.port))
            self._loop.add_reader(self._socket, self._read)
        except BaseException:
            self._socket.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether another question may be asked here."""
        return self._open and self._asked < _QUESTIONS_A_PORT and self._strays < _STRAYS

    def ask(self, waiting: _Waiting) -> int:
        """Send a question and return its id; it hears its answer, None for what is not plain.

        Raises `OSError` when nothing could be sent.
        """
        number = self._chance.take()
        while number in self._waiting:
            number = self._chance.take()
        waiting.sent_at = time.monotonic()
        try:
            self._send(query_of(waiting.asked, number))
        except OSError:
            self._close_if_idle()
            raise
        self._asked += 1
        self._waiting[number] = waiting
        if self._timer is None:
            self._timer = self._loop.call_later(self._timeout_s, self._expire)
        return number

    def leave(self, number: int) -> None:
        """Wait no longer for the answer with this id."""
        self._waiting.pop(number, None)
        self._close_if_idle()

    def _read(self) -> bool:
        """Take what has come; whether more may be there, for others have their turn first."""
        waiting, receive = self._waiting, self._receive
        try:
            for _ in range(_PACKETS_AT_ONCE):
                if not waiting:  # the last was heard, and the socket is closed
                    return False
                self._take(receive(_PACKET_BYTES))
        except BlockingIOError:
            return False
        except OSError:  # nobody listens there (ICMP): the library will find out for each
            self._asked = _QUESTIONS_A_PORT
            for number in list(waiting):
                self._settle(number, None)
            return False
        return True

    def _take(self, packet: bytes) -> None:
        number = int.from_bytes(packet[:2], "big")
        waiting = self._waiting.get(number)
        if waiting is None or not answers(packet, waiting.asked):
            self._strays += 1
            return
        self._settle(number, unpack(packet, waiting.asked))

    def _settle(self, number: int, answer: Answer | None) -> None:
        self._waiting.pop(number).hear(answer)
        self._close_if_idle()

    def _expire(self) -> None:
        """Give up what has waited long enough: questions wait in the order they were asked."""
        now = time.monotonic()
        while self._read():  # the loop may have been held for so long that answers are there
            pass
        self._timer = None
        for number, waiting in list(self._waiting.items()):
            left_s = waiting.sent_at + self._timeout_s - now
            if left_s > 0:
                self._timer = self._loop.call_later(left_s, self._expire)
                return
            self._silent()
            self._settle(number, None)

    def _close_if_idle(self) -> None:
        if self._waiting or not self._open:
            return
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop.remove_reader(self._socket)
        self._socket.close()
