"""One dialogue in the clear, at the least cost: a plan on a bare wire.

It says and hears what `session` would, with one timer and one awaited future for the whole of
it; groups of commands go out in one write where the plan has them. When the plan wants STARTTLS
the open connection is handed on to `session`.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import NamedTuple

from mailvet.model.reply import Reply, Stage, Trouble
from mailvet.smtp.connect import NO_ROOM_PAUSE_S, NotConnected, failure_of, is_of_other_version
from mailvet.smtp.deadlines import DEADLINES
from mailvet.smtp.identity import Identity
from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plan import Plan
from mailvet.smtp.reply_stream import ReplyStream, farewell_of
from mailvet.smtp.transcript import Direction, OnLine, printable, tell_reply
from mailvet.smtp.wire import Line, open_wire


class HandOver(NamedTuple):
    """An open connection whose next command is STARTTLS."""

    connected: socket.socket
    ends_at: float
    """When the session ends, by its clock."""
    said: bytes
    """What the host said in the meantime, unasked."""


class PlainSession:
    """Carries one plan out; `run` is called once."""

    def __init__(
        self,
        plan: Plan,
        *,
        host: str,
        address: str,
        port: int,
        identity: Identity,
        limits: VisitLimits,
        clock: Callable[[], float],
        on_line: OnLine | None = None,
    ) -> None:
        self._plan = plan
        self._host = host
        self._address = address
        self._port = port
        self._identity = identity
        self._limits = limits
        self._clock = clock
        self._on_line = on_line
        self._stream = ReplyStream()
        self._due = 1  # the banner comes unasked
        self._due_at = 0.0
        self._ends_at = 0.0
        self._wire: Line | None = None
        self._is_up = False
        self._failure: NotConnected | None = None
        loop = asyncio.get_running_loop()
        self._deadlines = DEADLINES.of(loop)
        self._ended: asyncio.Future[None] = loop.create_future()

    async def run(self, session_s: float) -> HandOver | None:
        """Connect and converse for at most `session_s` seconds.

        The socket is closed after it, unless it is handed over. Raises `NotConnected` when no
        connection came about, and when cancelled, `CancelledError`: then only QUIT is still said.
        """
        now = self._clock()
        self._ends_at = now + session_s
        if self._on_line is not None:
            self._note(f"connecting to {self._host} [{self._address}]:{self._port}")
        self._due_at = now + min(self._limits.connect_s, session_s)
        self._deadlines.watch(self)
        try:
            while not self._connect():
                await asyncio.wait([self._ended], timeout=NO_ROOM_PAUSE_S)
            await self._ended
        except BaseException:
            self._abort()
            raise
        if self._failure is not None:
            raise self._failure
        wire, self._wire = self._wire, None
        if self._plan.done or wire is None:
            return None
        return HandOver(wire.detach(), self._ends_at, self._stream.surplus)

    def _connect(self) -> bool:
        """Begin to connect; False when there was no room for it, nor time for more."""
        if self._ended.done():
            return True
        source_address = self._identity.source_address
        if is_of_other_version(source_address, self._address):
            raise NotConnected(Trouble.UNREACHABLE, at_once=True)
        try:
            self._wire = open_wire(self._address, self._port, source_address, self)
        except OSError as error:
            failure = failure_of(error)
            if failure is not None:
                raise failure from None
            return False
        return True

    def connection_made(self, wire: Line) -> None:
        """Wait for the banner."""
        self._wire = wire
        self._is_up = True
        self._set_deadline()

    def connection_failed(self, error: OSError) -> None:
        """Note that nobody is there."""
        self._not_connected(failure_of(error) or NotConnected(Trouble.UNREACHABLE))

    def _not_connected(self, failure: NotConnected) -> None:
        self._failure = failure
        self._end()

    def data_received(self, data: bytes) -> None:
        """Feed the plan with every reply that is due, and write what it has next."""
        stream, plan = self._stream, self._plan
        if plan.done:
            return
        stream.push(data, self._due)
        replies = stream.take(self._due)
        self._due -= len(replies)
        for reply in replies:
            if self._on_line is not None:
                tell_reply(self._on_line, reply)
            plan.feed(reply)
            if plan.done:
                self._end()
                return
        if replies and not self._due:
            self._go_on()
        if self._ended.done():
            return
        if stream.garbled:
            self._break_off(Trouble.GARBLED)
        elif replies:  # else it drips: the deadline is for the whole reply
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - all the same to us
        """Note that no further reply will come."""
        if not self._ended.done():
            first = self._plan.stage is Stage.BANNER
            self._break_off(Trouble.REFUSED if first else Trouble.DROPPED)

    def _hear(self, reply: Reply) -> None:
        if self._on_line is not None:
            tell_reply(self._on_line, reply)
        self._plan.feed(reply)
        if self._plan.done:
            self._end()

    def _go_on(self) -> None:
        """Write what is due next, unless the host has spoken unasked."""
        surplus = self._stream.surplus
        if surplus:
            farewell = farewell_of(surplus)
            if farewell is None:
                self._break_off(Trouble.GARBLED)
            else:
                self._hear(farewell)
        elif self._plan.stage is Stage.STARTTLS:
            self._hand_over()
        else:
            self._write(self._plan.commands)

    def _write(self, commands: tuple[bytes, ...]) -> None:
        assert self._wire is not None
        if self._on_line is not None:
            for line in commands:
                self._on_line(Direction.SENT, printable(line.decode()))
        self._due = len(commands)
        self._wire.write(b"\r\n".join(commands) + b"\r\n")

    def _hand_over(self) -> None:
        self._plan.go_strict()
        self._deadlines.forget(self)
        self._ended.set_result(None)

    def _break_off(self, trouble: Trouble) -> None:
        self._note(f"{trouble.lower()} at {self._plan.stage}")
        says_quit = trouble is Trouble.TIMEOUT and self._plan.greeted
        self._plan.break_off(trouble)
        self._end(says_quit=says_quit)

    def _end(self, *, says_quit: bool = False) -> None:
        self._due = 0
        if says_quit:
            self._say_quit()
        self._deadlines.forget(self)
        if not self._ended.done():
            self._ended.set_result(None)
        self._close()

    def _say_quit(self) -> None:
        """Say it without waiting for an answer."""
        wire = self._wire
        if wire is not None and not wire.has_unsent:
            wire.write(b"QUIT\r\n")

    def _abort(self) -> None:
        self._deadlines.forget(self)
        if not self._ended.done():
            self._ended.cancel()
        if self._plan.greeted and self._plan.stage is not Stage.QUIT:
            self._say_quit()
        self._close()

    def _close(self) -> None:
        wire, self._wire = self._wire, None  # they name each other: a circle
        if wire is not None:
            wire.abort()

    def _set_deadline(self) -> None:
        limits, stage = self._limits, self._plan.stage
        stage_s = limits.command_s
        if stage is Stage.BANNER:
            stage_s = limits.banner_s
        elif stage is Stage.QUIT:
            stage_s = limits.quit_s
        due_at, ends_at = self._clock() + stage_s, self._ends_at
        self._due_at = min(ends_at, due_at)

    def look(self) -> None:
        """See whether the deadline has passed; it moves with every reply."""
        if self._clock() < self._due_at:
            return
        if self._is_up:
            self._break_off(Trouble.TIMEOUT)
        else:
            self._not_connected(NotConnected(Trouble.TIMEOUT))

    def _note(self, text: str) -> None:
        if self._on_line is not None:
            self._on_line(Direction.NOTE, printable(text))
