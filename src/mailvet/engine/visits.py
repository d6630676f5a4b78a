"""One session's worth of work: ask a route about some cases, and take in what it said."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Protocol

import structlog

from mailvet.checks.bare_domain import takes_any_mailbox
from mailvet.checks.catch_all import judge_catch_all
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.domains import DomainBook
from mailvet.engine.harvest import Gate
from mailvet.engine.nobody import made_up
from mailvet.engine.routes import Lot, Route
from mailvet.failpoints import reach
from mailvet.model.address import Address
from mailvet.model.named import new
from mailvet.model.reply import Observation, Reading, Reply, Stage, Trouble
from mailvet.model.route import Exchanger
from mailvet.model.status import EntryStatus, Fact, Meaning, QualityLevel
from mailvet.smtp import Envelope, Report
from mailvet.smtp.transcript import OnLine

MAX_PASSES = 4
"""How often a case may come back unanswered from a session before that is its answer."""
MAX_COMPLAINTS = 2
"""How often a case is asked again in one attempt after its host complained about our rate."""

_is_domain = attrgetter("is_domain")

_LOG = structlog.get_logger(room="engine")


class Dialer(Protocol):
    """Who carries out a dialogue: `smtp.visit` with our settings filled in."""

    def __call__(
        self,
        route: str,
        exchangers: Sequence[Exchanger],
        envelopes: Sequence[Envelope],
        quality: QualityLevel,
        on_line: OnLine | None,
    ) -> Awaitable[Report]:
        """Visit the exchangers in order, as patiently as the quality asks; report what was seen.

        `on_line` hears every line of the dialogue as it is said.
        """
        ...


class Reader(Protocol):
    """Who reads replies: `smtp.meanings`."""

    def __call__(self, reply: Reply, stage: Stage, operator: str) -> Reading:
        """Return what the reply means."""
        ...


class Visits:
    """Carries out sessions for the desk of routes."""

    def __init__(
        self,
        *,
        dial: Dialer,
        read: Reader,
        book: DomainBook,
        gate: Gate,
        requeue: Callable[[DomainCard, Iterable[Case]], None],
        connected: Callable[[str], None],
        unreachable: Callable[[str, Sequence[Case]], None],
        clock: Callable[[], float],
    ) -> None:
        """`requeue` puts cases back at the head of their route; `connected(address)` and
        `unreachable` are told how it went."""
        self._dial = dial
        self._read = read
        self._book = book
        self._gate = gate
        self._requeue = requeue
        self._connected = connected
        self._unreachable = unreachable
        self._clock = clock

    async def __call__(self, route: Route, lot: Lot) -> None:
        """Visit the route with those of the cases that may be asked about and hand every one of
        them on; never raises."""
        admitted, asked = self._gate.admit(lot)
        if not admitted:
            return
        probing = []
        for card, cases in admitted:
            if self._should_probe(card) and not all(case.is_domain for case in cases):
                card.probing = True
                probing.append(card)
        try:
            envelopes = [self._envelope(card, cases, card in probing) for card, cases in admitted]
            quality, on_line = _best_quality(admitted), _listener(admitted)
            report = await self._dial(route.key, route.exchangers, envelopes, quality, on_line)
            reach("visit.ended")
            self._take_in(route, admitted, report)
        except Exception as error:
            _LOG.error("visit.failed", error=type(error).__name__, exc_info=True)
            self._give_up([case for _, cases in admitted for case in cases])
        finally:
            self._gate.let_out(asked)
            for card in probing:
                card.probing = False
            for card, _ in admitted:
                if card.waiting:
                    self._wake_waiting(card)

    def _should_probe(self, card: DomainCard) -> bool:
        # Also where the host refused a second recipient before: that may have been another domain's
        # rule, and a refusal costs one command in the session of a real recipient.
        return not card.probing and not card.knows_catch_all(self._clock())

    def _envelope(self, card: DomainCard, cases: list[Case], probe: bool) -> Envelope:
        if len(cases) > 1:  # real mailboxes first, as everywhere
            cases = sorted(cases, key=_is_domain)
            recipients = tuple({case.address: None for case in cases})
        else:
            recipients = (cases[0].address,)
        nobody = made_up(card.domain) if probe else None
        return new(Envelope, (card.domain, recipients, nobody))

    def _take_in(self, route: Route, lot: Lot, report: Report) -> None:
        if not report.connected:
            self._not_connected(route, lot, report)
            return
        self._connected(report.address)
        observe, observations = self._observe, report.observations
        for card, cases in lot:
            self._learn(card, report)
            for case in cases:
                observe(card, case, observations)
        # Before anybody is queued again: that may start a session at once.
        self._adapt(route, lot, report)
        for card, cases in lot:
            knows = card.knows_catch_all(self._clock())
            for case in cases:
                self._hand_on(card, case, knows=knows)

    def _not_connected(self, route: Route, lot: Lot, report: Report) -> None:
        cases = []
        for _, group in lot:
            for case in group:
                assert case.address is not None
                case.seen = report.observations.get(case.address)
                case.visits += 1
                cases.append(case)
        self._unreachable(route.key, cases)

    def _observe(
        self, card: DomainCard, case: Case, observations: Mapping[Address, Observation]
    ) -> None:
        """Take in what was said of a case, if anything was."""
        assert case.address is not None
        seen = observations.get(case.address)
        case.answered = seen is not None
        if seen is None:
            return
        case.visits += 1
        case.seen = seen
        reply = seen.reply
        case.reading = (
            None if reply is None or 200 <= reply.code < 300 else self._reading(seen, card)
        )
        if case.is_domain:
            fact = takes_any_mailbox(seen, case.reading)
            if fact is not Fact.INCONCLUSIVE:
                self._book.learn_catch_all(card, fact, seen, case.reading)

    def _adapt(self, route: Route, lot: Lot, report: Report) -> None:
        pace = route.pace
        if report.one_domain:
            pace.one_domain = True
        if report.recipients_taken is not None:
            pace.took(report.recipients_taken)
        if any(
            case.answered and case.reading is not None and _is_complaint(case)
            for _, cases in lot
            for case in cases
        ):
            pace.complained()
        else:
            pace.succeeded()

    def _learn(self, card: DomainCard, report: Report) -> None:
        seen = report.made_up.get(card.domain)
        if seen is None:
            return
        reading = self._reading(seen, card)
        self._book.learn_catch_all(card, judge_catch_all(seen, reading), seen, reading)

    def _hand_on(self, card: DomainCard, case: Case, *, knows: bool) -> None:
        """Conclude a case, unless there is more to ask; `knows` says whether the domain's catch-all
        is known."""
        if not case.answered:
            self._unasked(card, case)
        elif case.reading is not None:
            if _is_complaint(case) and case.complaints < MAX_COMPLAINTS:
                case.complaints += 1
                self._requeue(card, [case])
            else:
                case.conclude()
        elif knows or case.seen is None or case.seen.reply is None:
            case.conclude()
        else:
            card.waiting.append(case)

    def _wake_waiting(self, card: DomainCard) -> None:
        """Answer those who wait for the domain's catch-all, or send one of them to ask again."""
        while card.waiting and not card.probing:
            case = card.waiting.pop()
            if case.abandoned or card.knows_catch_all(self._clock()) or case.passes >= MAX_PASSES:
                case.conclude()
            else:
                case.passes += 1
                self._requeue(card, [case])
                return

    def _unasked(self, card: DomainCard, case: Case) -> None:
        case.passes += 1
        if case.passes <= MAX_PASSES:
            self._requeue(card, [case])
            return
        case.visits += 1
        case.seen = Observation(Stage.RCPT, "", "", None, Trouble.DROPPED)
        case.conclude()

    def _give_up(self, cases: Iterable[Case]) -> None:
        for case in cases:
            case.forced = EntryStatus.UNHANDLED_EXCEPTION
            case.conclude()

    def _reading(self, seen: Observation, card: DomainCard) -> Reading | None:
        if seen.reply is None or seen.reply.positive:
            return None
        operator = card.operator.name if card.operator is not None else ""
        return self._read(seen.reply, seen.stage, operator)


def _best_quality(lot: Lot) -> QualityLevel:
    """The most that any of them asks for, which is mostly what all do."""
    best = lot[0][1][0].quality
    for _, cases in lot:
        for case in cases:
            if case.quality is not best and case.quality > best:
                best = case.quality
    return best


def _listener(lot: Lot) -> OnLine | None:
    """Who hears the session: a case that is listened to is alone in its lot."""
    case = lot[0][1][0]
    if case.tell is None:
        return None
    case.session = asyncio.current_task()
    return case.heard


def _is_complaint(case: Case) -> bool:
    """Whether the host asks for less: it speaks of our rate, or refuses before any recipient was
    named, for now. 421 closes the channel at any stage (RFC 5321 3.8).
    """
    seen, reading = case.seen, case.reading
    if seen is None or seen.reply is None or reading is None:
        return False
    if seen.reply.code == 421 or reading.meaning is Meaning.RATE_LIMITED:
        return True
    return seen.reply.transient and seen.stage in (Stage.BANNER, Stage.EHLO)
