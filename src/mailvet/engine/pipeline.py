"""The way of a case through the engine: syntax, lists, DNS, then the desk of routes.

Batches and calls that wait for one answer share it, so they share what is known of domains and
never exceed a route's pace together.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import structlog

from mailvet.engine.breaker import Breaker
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.domains import DomainBook
from mailvet.engine.gathering import Gathering
from mailvet.engine.herds import Herd
from mailvet.engine.nobody import made_up
from mailvet.engine.routes import RouteDesk
from mailvet.lists import Lists
from mailvet.model.address import Address, SyntaxFault
from mailvet.model.result import ListHit
from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.model.status import EntryStatus
from mailvet.model.step import Listed, Parsed, Routed
from mailvet.syntax import bare_domain, check_provider_syntax, nobody_at, parse

_LOG = structlog.get_logger(room="engine")
_ROUTABLE = (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT)
_RISKY_OPERATORS = ("disposable", "parked")


class _Job:
    """A domain to resolve, and whose it is: cases, or a herd."""

    __slots__ = ("_cases", "_herd", "_pipeline", "card", "first")

    def __init__(
        self,
        pipeline: "Pipeline",
        card: DomainCard,
        cases: list[Case],
        *,
        herd: Herd | None = None,
        first: bool = False,
    ) -> None:
        """With `first` the cases go before others."""
        self._pipeline = pipeline
        self._cases = cases
        self._herd = herd
        self.card = card
        self.first = first

    def take(self) -> list[Case]:
        """Return the cases, now that the domain is resolved, or cannot be."""
        return self._cases if self._herd is None else self._pipeline.take(self.card, self._herd)

    def told(self, said: MxAnswer | Exception) -> None:
        """Hear where mail for the domain goes."""
        self._pipeline.resolved(self, said)


class Pipeline:
    """Takes cases in, and sees to it that every one is concluded."""

    def __init__(
        self,
        *,
        lists: Callable[[], Lists],
        book: DomainBook,
        desk: RouteDesk,
        breaker: Breaker,
        resolving: int,
        gathering: Gathering,
    ) -> None:
        """`lists()` returns the lists in force; `resolving` domains are resolved at once;
        `gathering` is told of cases that are on their way to the desk."""
        self._lists = lists
        self._book = book
        self._desk = desk
        self._breaker = breaker
        self._jobs: deque[_Job] = deque()
        self._resolving = resolving
        self._under_way = 0
        """Domains that are being resolved."""
        self._beginning = False
        self._open = False
        self.gathering = gathering
        """To be told also of entries that are on their way here."""

    def start(self) -> None:
        """Resolve domains from now on."""
        self._open = True
        self._begin_jobs()

    async def close(self, sessions_grace_s: float = 0.0) -> None:
        """Stop: begin nothing; sessions under way have so many seconds to come to their end.

        Cases that are in none, or in one that is cut short, are not concluded.
        """
        self._open = False
        await self._breaker.close()
        await self._desk.close(sessions_grace_s)

    def submit(self, cases: Sequence[Case], *, first: bool = False) -> None:
        """Take cases in; each is concluded once, perhaps before this returns.

        With `first` they go before what waits already.
        """
        by_domain: dict[str, list[Case]] = {}
        for case in cases:
            if self._survives(case):
                assert case.address is not None
                by_domain.setdefault(case.address.domain.ascii, []).append(case)
            else:
                case.conclude()
        for domain, group in by_domain.items():
            card = self._book.card(domain)
            for case in group:
                case.card = card
            if self._book.is_fresh(card):
                self._dispatch(card, group, first, remembered=True)
            else:
                self._resolve(_Job(self, card, group, first=first))

    def submit_herd(self, herd: Herd) -> None:
        """Take plain entries of one domain in; those become cases that are to be asked about."""
        card = self._book.card(herd.domain.ascii)
        if self._book.is_fresh(card):
            self._dispatch(card, self.take(card, herd), first=False, remembered=True)
        else:
            self._resolve(_Job(self, card, [], herd=herd))

    def take(self, card: DomainCard, herd: Herd) -> list[Case]:
        """Return the cases of a herd that live on, once its domain is resolved."""
        if card.answer is not None and card.answer.outcome not in _ROUTABLE:
            herd.answer(card, self._lists().classify)
        living = []
        for case in herd.cases():
            case.card = card
            if self._survives(case):
                living.append(case)
            else:
                case.conclude()
        return living

    def requeue(self, card: DomainCard, cases: Iterable[Case]) -> None:
        """Put cases back at the head of their route."""
        self._desk.submit(card, cases, first=True)

    def release(self, cases: Sequence[Case], ours: bool) -> None:
        """Conclude cases whose exchangers could not be connected to, as their fault or ours."""
        waiting = [*cases, *self._desk.take_all()] if ours else cases
        for case in waiting:
            if ours:
                case.forced = EntryStatus.LOCAL_EGRESS_UNAVAILABLE
            case.conclude()

    def _survives(self, case: Case) -> bool:
        """As `_examine`; an entry that we stumble over is our fault, and only its own."""
        try:
            return self._examine(case)
        except Exception as error:
            _LOG.error("examine.failed", error=type(error).__name__, exc_info=True)
            case.forced = EntryStatus.UNHANDLED_EXCEPTION
            return False

    def _examine(self, case: Case) -> bool:
        """Judge the text of a case; False when that decides it already."""
        survives = self._parse(case)
        if case.tell is not None:
            case.tell(Parsed(case.address, case.fault, case.is_domain))
        address = case.address
        if case.is_domain and address is not None:  # what was made up is on no list
            address = nobody_at(address.domain)
        if case.policy is not None and address is not None:
            case.ruling = case.policy.ruling_of(address)
        if not survives or case.ruling is not None or case.duplicate_of is not None:
            return False
        assert address is not None
        case.membership = self._lists().classify(address.local_part, address.domain.ascii)
        if case.tell is not None:
            for hit in case.membership.hits:
                case.tell(Listed(ListHit(*hit)))
        # A disposable mailbox is decided by the list, as it would be without a memory.
        if case.recall is None or case.membership.is_disposable:
            return True
        return not case.recall(case)

    def _parse(self, case: Case) -> bool:
        if case.address is not None:  # it came with a herd
            return True
        parsed = parse(case.input_data)
        if not isinstance(parsed, SyntaxFault):
            case.address = parsed
            case.fault = check_provider_syntax(parsed)
            return case.fault is None
        domain = bare_domain(case.input_data) if case.takes_domains else None
        if domain is None:
            case.fault = parsed
            return False
        case.is_domain = True
        case.address = Address(made_up(domain.ascii).local_part, domain)
        return True

    def _resolve(self, job: _Job) -> None:
        self.gathering.expect()
        self._jobs.append(job)
        self._begin_jobs()

    def _begin_jobs(self) -> None:
        """Have as many domains resolved as may be at once."""
        if self._beginning:  # a domain was resolved as soon as it was begun: the loop below goes on
            return
        self._beginning = True
        try:
            while self._open and self._jobs and self._under_way < self._resolving:
                job = self._jobs.popleft()
                if self._book.is_fresh(job.card):  # others were quicker
                    self._send_on(job, None)
                    self.gathering.arrived()
                else:
                    self._under_way += 1
                    self._book.resolve(job.card, job.told)
        finally:
            self._beginning = False

    def resolved(self, job: _Job, said: MxAnswer | Exception) -> None:
        """Take in what a job was told."""
        if not self._open:  # its cases stay as they are: see `close`
            return
        self._under_way -= 1
        if isinstance(said, Exception):
            self._give_up(job.take(), said)
        else:
            self._send_on(job, said)
        self.gathering.arrived()
        self._begin_jobs()

    def _send_on(self, job: _Job, learnt: MxAnswer | None) -> None:
        """Send the cases of a job on, once their domain is known or with what was learnt of it."""
        cases = None
        try:
            if learnt is not None:
                self._book.learn_route(job.card, learnt)
            cases = job.take()
            self._dispatch(job.card, cases, job.first, remembered=learnt is None)
        except Exception as error:
            self._give_up(job.take() if cases is None else cases, error)

    def _give_up(self, cases: Iterable[Case], error: Exception) -> None:
        _LOG.error("resolve.failed", error=type(error).__name__, exc_info=error)
        for case in cases:
            case.forced = EntryStatus.UNHANDLED_EXCEPTION
            case.conclude()

    def _dispatch(
        self, card: DomainCard, cases: list[Case], first: bool, *, remembered: bool
    ) -> None:
        assert card.answer is not None
        decided = card.answer.outcome not in _ROUTABLE or (
            card.operator is not None and card.operator.category in _RISKY_OPERATORS
        )
        opted_out = self._lists().opts_out(card.domain, card.answer.hosts)
        to_ask = []
        for case in cases:
            if case.tell is not None:
                provider = card.operator.name if card.operator is not None else ""
                case.tell(Routed(card.answer, provider, remembered))
            # A disposable mailbox is RISKY whatever its exchanger says: it is not asked.
            if decided or case.abandoned or (case.membership and case.membership.is_disposable):
                case.conclude()
            elif opted_out:
                case.forced = EntryStatus.DOMAIN_OPTED_OUT
                case.conclude()
            elif self._breaker.out_of_patience:
                case.forced = EntryStatus.LOCAL_EGRESS_UNAVAILABLE
                case.conclude()
            else:
                to_ask.append(case)
        if to_ask:
            self._desk.submit(card, to_ask, first=first)
