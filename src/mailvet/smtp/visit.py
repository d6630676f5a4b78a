"""One visit to a route: its exchangers' addresses in order, until somebody has answered.

Whether and when to come back, and how fast, is decided elsewhere.
"""

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from mailvet.model.address import Address
from mailvet.model.reply import Observation, Stage, Trouble
from mailvet.model.route import Exchanger
from mailvet.smtp.connect import NotConnected
from mailvet.smtp.envelope import Envelope
from mailvet.smtp.identity import Identity
from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plain_session import PlainSession
from mailvet.smtp.plan import Plan
from mailvet.smtp.report import Report
from mailvet.smtp.session import Session
from mailvet.smtp.transcript import Direction, Line, OnLine

STANDARD = VisitLimits()
Kind = TypeVar("Kind", Session, PlainSession)


def visit(
    exchangers: Sequence[Exchanger],
    envelopes: Sequence[Envelope],
    *,
    identity: Identity,
    port: int = 25,
    limits: VisitLimits = STANDARD,
    clock: Callable[[], float] = time.monotonic,
    on_line: OnLine | None = None,
    transcript: bool = False,
) -> Coroutine[Any, Any, Report]:
    """Ask the exchangers, in the order given, about every recipient; return what was observed.

    The next address is tried when one cannot be connected to, refuses to greet, refuses EHLO or,
    for now, our sender, or breaks off; recipients that have their answer keep it. When nobody
    gave one, the most telling refusal or trouble stands. `on_line` hears every line as it is said,
    already made printable; `transcript` keeps them in the report. `clock` gives seconds.

    Never raises for what the network does. Raises `AssertionError` for a mailbox whose bytes are
    not safe to send, before anything is sent; a cancelled visit says QUIT and closes its socket.
    """
    if transcript:
        scribe = _Scribe(on_line)
        begun = _Visit(exchangers, envelopes, identity, port, limits, clock, scribe)
        return _written_down(begun, scribe)
    return _Visit(exchangers, envelopes, identity, port, limits, clock, on_line).run()


async def _written_down(begun: "_Visit", scribe: "_Scribe") -> Report:
    report = await begun.run()
    report.transcript = tuple(scribe.lines)
    return report


class _Scribe:
    """Keeps lines, and passes them on."""

    def __init__(self, on_line: OnLine | None) -> None:
        self._on_line = on_line
        self.lines: list[Line] = []

    def __call__(self, direction: Direction, text: str) -> None:
        self.lines.append(Line(direction, text))
        if self._on_line is not None:
            self._on_line(direction, text)


class _Visit:
    """What a visit knows so far."""

    def __init__(
        self,
        exchangers: Sequence[Exchanger],
        envelopes: Sequence[Envelope],
        identity: Identity,
        port: int,
        limits: VisitLimits,
        clock: Callable[[], float],
        on_line: OnLine | None,
    ) -> None:
        self._exchangers = exchangers
        self._envelopes = envelopes
        self._identity = identity
        self._port = port
        self._limits = limits
        self._clock = clock
        self._on_line = on_line
        self._observations: dict[Address, Observation] = {}
        self._made_up: dict[str, Observation] = {}
        recipients = [each for envelope in envelopes for each in envelope.recipients]
        self._report = Report(recipients)

    async def run(self) -> Report:
        """Go from address to address."""
        ends_at = self._clock() + self._limits.visit_s
        tries_left = self._limits.max_addresses
        for host, address in _addresses(self._exchangers):
            left_s = ends_at - self._clock()
            envelopes = self._open_envelopes()
            if not envelopes or tries_left <= 0 or left_s <= 0:
                break
            plan = self._plan(host, address, envelopes, hasty=self._identity.proxy is None)
            session_s = min(left_s, self._limits.session_s)
            try:
                if self._identity.proxy is not None:
                    await self._session(Session, plan, host, address).run(session_s)
                else:
                    handed = await self._session(PlainSession, plan, host, address).run(session_s)
                    if handed is not None:
                        await self._session(Session, plan, host, address).carry_on(handed)
                    if plan.asks_again:
                        plan = await self._ask_again(plan, host, address, ends_at)
            except NotConnected as failure:
                tries_left -= not failure.at_once
                self._nobody_there(envelopes, host, address, failure.trouble)
                continue
            tries_left -= 1
            self._take_in(plan, address)
            if not plan.try_next:
                break
        if not self._exchangers:
            self._nobody_there(self._envelopes, "", "", Trouble.UNREACHABLE)
        report = self._report
        report.observations = self._observations
        report.made_up = self._made_up
        return report

    def _plan(self, host: str, address: str, envelopes: Sequence[Envelope], *, hasty: bool) -> Plan:
        return Plan(
            self._identity,
            envelopes,
            host=host,
            address=address,
            max_recipients=self._limits.max_recipients,
            pipelining=hasty,
        )

    async def _ask_again(self, plan: Plan, host: str, address: str, ends_at: float) -> Plan:
        """Ask what is still open one command at a time; return the plan of it."""
        self._take_in(plan, address)
        strict = self._plan(host, address, self._open_envelopes(), hasty=False)
        session_s = min(ends_at - self._clock(), self._limits.session_s)
        handed = await self._session(PlainSession, strict, host, address).run(session_s)
        if handed is not None:
            await self._session(Session, strict, host, address).carry_on(handed)
        return strict

    def _session(self, kind: type[Kind], plan: Plan, host: str, address: str) -> Kind:
        return kind(
            plan,
            host=host,
            address=address,
            port=self._port,
            identity=self._identity,
            limits=self._limits,
            clock=self._clock,
            on_line=self._on_line,
        )

    def _open_envelopes(self) -> Sequence[Envelope]:
        """What is still to be asked."""
        if not self._observations:
            return self._envelopes
        left = []
        for domain, recipients, made_up in self._envelopes:
            waiting = tuple(each for each in recipients if not self._is_settled(each))
            if waiting:
                probe = None if domain in self._made_up else made_up
                left.append(Envelope(domain, waiting, probe))
        return left

    def _is_settled(self, recipient: Address) -> bool:
        seen = self._observations.get(recipient)
        return seen is not None and _is_final(seen)

    def _nobody_there(
        self, envelopes: Sequence[Envelope], host: str, address: str, trouble: Trouble
    ) -> None:
        seen = Observation(Stage.CONNECT, host, address, None, trouble)
        for envelope in envelopes:
            for recipient in envelope.recipients:
                self._note(recipient, seen)

    def _take_in(self, plan: Plan, address: str) -> None:
        ledger, report = plan.ledger, self._report
        if self._observations:
            for recipient, seen in ledger.observations.items():
                self._note(recipient, seen)
        else:
            self._observations = ledger.observations
        self._made_up |= ledger.made_up
        report.connected, report.address = True, address
        report.greeted = report.greeted or plan.greeted
        report.extensions = plan.extensions or report.extensions
        report.used_starttls = report.used_starttls or plan.used_starttls
        report.one_domain = report.one_domain or ledger.one_domain
        taken = ledger.recipients_taken
        if taken is not None:
            report.recipients_taken = min(taken, report.recipients_taken or taken)

    def _note(self, recipient: Address, seen: Observation) -> None:
        before = self._observations.get(recipient)
        if before is None or _weight(seen) >= _weight(before):
            self._observations[recipient] = seen


def _addresses(exchangers: Sequence[Exchanger]) -> Sequence[tuple[str, str]]:
    """Every address once, by preference, under the first name it has."""
    if len(exchangers) == 1:
        host, _, addresses = exchangers[0]
        return [(host, address) for address in dict.fromkeys(addresses)]
    named: dict[str, str] = {}
    for host, _, addresses in sorted(exchangers, key=lambda each: each.preference):
        for address in addresses:
            named.setdefault(address, host)
    return [(host, address) for address, host in named.items()]


_STAGES = list(Stage)
_TROUBLES = [
    Trouble.UNREACHABLE,
    Trouble.REFUSED,
    Trouble.TLS,
    Trouble.GARBLED,
    Trouble.DROPPED,
    Trouble.TIMEOUT,
    Trouble.NO_SMTPUTF8,
]
"""From what tells least about the host to what tells most."""


def _weight(seen: Observation) -> tuple[bool, bool, int, int]:
    """How telling an observation is: an answer, then any reply, then how far it went."""
    trouble = _TROUBLES.index(seen.trouble) if seen.trouble is not None else len(_TROUBLES)
    return _is_final(seen), seen.reply is not None, _STAGES.index(seen.stage), trouble


def _is_final(seen: Observation) -> bool:
    """Whether no other address needs to be asked about the recipient."""
    if seen.reply is None:
        return seen.trouble is Trouble.NO_SMTPUTF8
    if seen.stage is Stage.MAIL:
        return seen.reply.code >= 500
    return seen.stage is Stage.RCPT
