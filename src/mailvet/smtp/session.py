"""One dialogue carried out: a plan, over a connection to one IP address, within its deadlines.

Strict: one command at a time; it can encrypt, and go through a proxy. What aiosmtplib and the
system raise ends here and becomes data.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiosmtplib.errors import (
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from mailvet.model.reply import Reply, Stage, Trouble
from mailvet.smtp.connect import adopt, connect, tls_context
from mailvet.smtp.framing import GatedProtocol, read_reply
from mailvet.smtp.identity import Identity
from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plain_session import HandOver
from mailvet.smtp.plan import Plan
from mailvet.smtp.reply_line import enhanced_of
from mailvet.smtp.reply_stream import farewell_of
from mailvet.smtp.transcript import Direction, OnLine, printable, tell_reply


class Session:
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
        self._ends_at = 0.0

    async def run(self, session_s: float) -> None:
        """Connect and converse for at most `session_s` seconds; the socket is closed after it.

        Raises `NotConnected` when no connection came about, and when cancelled, `CancelledError`:
        then nothing more is sent.
        """
        self._ends_at = self._clock() + session_s
        self._note(f"connecting to {self._host} [{self._address}]:{self._port}")
        protocol = await connect(
            self._address,
            self._port,
            self._identity,
            min(self._limits.connect_s, session_s),
            GatedProtocol,
        )
        await self._converse(protocol)

    async def carry_on(self, handed: HandOver) -> None:
        """Converse over a connection that is open already; for the rest as `run`."""
        self._ends_at = handed.ends_at
        protocol = await adopt(handed.connected, lambda: GatedProtocol.resuming(handed.said))
        await self._converse(protocol)

    async def _converse(self, protocol: GatedProtocol) -> None:
        try:
            while not self._plan.done:
                await self._take_step(protocol)
        except asyncio.CancelledError:
            self._say_quit(protocol)
            raise
        finally:
            if protocol.transport is not None:
                protocol.transport.abort()  # type: ignore[attr-defined]

    async def _take_step(self, protocol: GatedProtocol) -> None:
        try:
            reply = _unasked_reply(protocol) or await self._exchange(protocol)
        except (SMTPException, OSError) as error:
            self._break_off(protocol, _trouble(error, protocol, self._plan.stage))
        else:
            if self._on_line is not None:
                tell_reply(self._on_line, reply)
            self._plan.feed(reply)

    async def _exchange(self, protocol: GatedProtocol) -> Reply:
        """Write what is due and read one reply; raises what aiosmtplib raises."""
        plan, timeout_s = self._plan, self._time_left(self._plan.stage)
        if not plan.commands:
            return read_reply(await protocol.read_response(timeout=timeout_s))
        (line,) = plan.commands
        if self._on_line is not None:
            self._on_line(Direction.SENT, printable(line.decode()))
        if plan.stage is Stage.STARTTLS:
            return await self._start_tls(protocol, timeout_s)
        return read_reply(await protocol.execute_command(line, timeout=timeout_s))

    async def _start_tls(self, protocol: GatedProtocol, timeout_s: float) -> Reply:
        try:
            response = await protocol.start_tls(
                tls_context(), _server_name(self._host), timeout=timeout_s
            )
        except SMTPResponseException as error:
            return Reply(error.code, error.message, enhanced_of(error.message))
        protocol.discard_surplus()  # said in the clear, perhaps by somebody in between
        return read_reply(response)

    def _time_left(self, stage: Stage) -> float:
        limits = self._limits
        stage_s = limits.command_s
        if stage is Stage.BANNER:
            stage_s = limits.banner_s
        elif stage is Stage.STARTTLS:
            stage_s = limits.tls_s
        elif stage is Stage.QUIT:
            stage_s = limits.quit_s
        return max(0.0, min(stage_s, self._ends_at - self._clock()))

    def _break_off(self, protocol: GatedProtocol, trouble: Trouble) -> None:
        self._note(f"{trouble.lower()} at {self._plan.stage}")
        if trouble is Trouble.TIMEOUT:
            self._say_quit(protocol)
        self._plan.break_off(trouble)

    def _say_quit(self, protocol: GatedProtocol) -> None:
        if self._plan.greeted and self._plan.stage is not Stage.QUIT:
            with suppress(SMTPServerDisconnected):
                protocol.write(b"QUIT\r\n")  # said, not waited for

    def _note(self, text: str) -> None:
        if self._on_line is not None:
            self._on_line(Direction.NOTE, printable(text))


class _Garbled(SMTPException):
    """A reply nobody asked for: from here on, no reply can be told to belong to a command."""


def _unasked_reply(protocol: GatedProtocol) -> Reply | None:
    """The host's farewell, if it sent one along with its last reply (RFC 5321 3.8).

    Raises `_Garbled` for any other reply that was not asked for.
    """
    surplus = protocol.surplus
    if not surplus:
        return None
    farewell = farewell_of(surplus)
    if farewell is None:
        raise _Garbled("a reply to no command")
    return farewell


def _trouble(error: Exception, protocol: GatedProtocol, stage: Stage) -> Trouble:
    """Name what was raised."""
    if protocol.garbled or isinstance(error, (SMTPResponseException, _Garbled)):
        return Trouble.GARBLED
    if isinstance(error, (SMTPTimeoutError, TimeoutError)):
        return Trouble.TIMEOUT
    if stage is Stage.STARTTLS and not isinstance(error, SMTPServerDisconnected):
        return Trouble.TLS  # ssl.SSLError is an OSError
    return Trouble.REFUSED if stage is Stage.BANNER else Trouble.DROPPED


def _server_name(host: str) -> str | None:
    """The name for SNI; None for what the ssl module does not take as one."""
    labels = host.rstrip(".").split(".")
    usable = host.isascii() and all(0 < len(label) < 64 for label in labels)
    return ".".join(labels) if usable and host[0].isalnum() else None
