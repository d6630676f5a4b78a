"""The way of a case through the engine: syntax, lists, DNS, then the desk of routes.

Batches and calls that wait for one answer share it, so they share what is known of domains and
never exceed a route's pace together.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from mailvet.engine.breaker import Breaker
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.domains import DomainBook
from mailvet.engine.gathering import Gathering
from mailvet.engine.herds import Herd
from mailvet.engine.routes import RouteDesk
from mailvet.lists import Lists
from mailvet.model.address import Address, SyntaxFault
from mailvet.model.result import ListHit
from mailvet.model.route import MxOutcome
from mailvet.model.status import EntryStatus
from mailvet.model.step import Listed, Parsed, Routed
from mailvet.syntax import bare_domain, check_provider_syntax, nobody_at, parse

_LOG = structlog.get_logger(room="engine")
_ROUTABLE = (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT)
_RISKY_OPERATORS = ("disposable", "parked")

Job = tuple[DomainCard, Callable[[], list[Case]], bool]
"""A domain to resolve; who gives the cases then, and whether they go before others."""


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
        made_up: Callable[[str], Address],
    ) -> None:
        """`lists()` returns the lists in force; `resolving` domains are resolved at once;
        `gathering` is told of cases that are on their way to the desk; `made_up(domain)` invents
        a mailbox, to ask about a domain."""
        self._lists = lists
        self._book = book
        self._desk = desk
        self._breaker = breaker
        self._jobs: deque[Job] = deque()
        self._resolving = resolving
        self._open = False
        self._made_up = made_up
        self.gathering = gathering
        """To be told also of entries that are on their way here."""
        self._resolvers: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Resolve domains from now on."""
        self._open = True
        for _ in self._jobs:
            self._hire()

    async def close(self, sessions_grace_s: float = 0.0) -> None:
        """Stop: begin nothing; sessions under way have so many seconds to come to their end.

        Cases that are in none, or in one that is cut short, are not concluded.
        """
        self._open = False
        for task in self._resolvers:
            task.cancel()
        await asyncio.gather(*self._resolvers, return_exceptions=True)
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
                self._resolve((card, partial(list, group), first))

    def submit_herd(self, herd: Herd) -> None:
        """Take plain entries of one domain in; those become cases that are to be asked about."""
        card = self._book.card(herd.domain.ascii)
        take = partial(self._take, card, herd)
        if self._book.is_fresh(card):
            self._dispatch(card, take(), first=False, remembered=True)
        else:
            self._resolve((card, take, False))

    def _take(self, card: DomainCard, herd: Herd) -> list[Case]:
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
        case.address = Address(self._made_up(domain.ascii).local_part, domain)
        return True

    def _resolve(self, job: Job) -> None:
        self.gathering.expect()
        self._jobs.append(job)
        self._hire()

    def _hire(self) -> None:
        """Have one task more that resolves domains, if there may be one more."""
        if self._open and len(self._resolvers) < self._resolving:
            task = asyncio.get_running_loop().create_task(self._resolve_jobs())
            self._resolvers.add(task)
            task.add_done_callback(self._resolvers.discard)

    async def _resolve_jobs(self) -> None:
        while self._jobs:
            card, take, first = self._jobs.popleft()
            cases = None
            try:
                remembered = self._book.is_fresh(card)
                await self._book.resolve(card)
                cases = take()
                self._dispatch(card, cases, first, remembered=remembered)
            except Exception as error:
                _LOG.error("resolve.failed", error=type(error).__name__, exc_info=True)
                for case in take() if cases is None else cases:
                    case.forced = EntryStatus.UNHANDLED_EXCEPTION
                    case.conclude()
            finally:
                self.gathering.arrived()

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
