"""How many unknown users one tenant may find at one domain: who guesses names finds little else.

A list of customers that has grown old has a share of dead mailboxes; a dictionary has hardly a
living one. So a domain is closed to a tenant for the rest of the hour when it found too many
unknown users there and they are the most of what it asked. Public providers have millions of
mailboxes, and every list has many of theirs, so there it takes more.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.routes import Lot
from mailvet.model.named import new
from mailvet.model.status import EntryStatus, Meaning

WINDOW_S = 3_600.0
"""The hour that the limit is about, from the first answer on."""

PUBLIC_FACTOR = 20
"""How much more a public mail provider bears: a list of 10,000 of its addresses, 40 % dead."""

MAX_WINDOWS = 100_000
"""Some 20 MB; the longest untouched are forgotten first."""

_LOG = structlog.get_logger(room="engine")


class Place(NamedTuple):
    """Where a tenant asks."""

    tenant: str
    domain: str


class _Window:
    """What a tenant asked of a domain since a moment."""

    __slots__ = ("answered", "asking", "said", "since", "unknown")

    def __init__(self, since: float) -> None:
        self.since = since
        self.answered = 0
        self.unknown = 0
        self.asking = 0
        """Under way: as many of them are foreseen to be unknown as were before."""
        self.said = False


class HarvestGuard:
    """Watches over every domain; `clock` is monotonic seconds, a limit of 0 closes nothing."""

    def __init__(self, limit: int, *, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._windows: OrderedDict[Place, _Window] = OrderedDict()

    def room(self, place: Place, *, public: bool) -> int:
        """Return how many mailboxes a tenant may ask for now; 0 or less when none.

        `public` tells a public mail provider.
        """
        most = self._limit * PUBLIC_FACTOR if public else self._limit
        window = self._windows.get(place)
        if not self._limit or window is None or self._is_over(window):
            return most or sys.maxsize
        if window.unknown * 2 < window.answered or not window.answered:
            return most  # most of them are there: no guesses; or nothing is known yet
        foreseen = -(-window.asking * window.unknown // window.answered)
        left = most - window.unknown - foreseen
        if left <= 0 and window.unknown >= most and not window.said:
            window.said = True
            _LOG.warning(
                "harvest.closed", tenant=place.tenant, domain=place.domain, unknown=window.unknown
            )
        return left

    def asks(self, place: Place, count: int) -> None:
        """Note that so many mailboxes are asked for now."""
        if self._limit:
            self._window(place).asking += count

    def learnt(self, place: Place, asked: int, found: Iterable[bool | None]) -> None:
        """Note what came of so many mailboxes: found, not found, or no word about it."""
        if not self._limit:
            return
        window = self._window(place)
        window.asking = max(0, window.asking - asked)
        for one in found:
            window.answered += one is not None
            window.unknown += one is False

    def _window(self, place: Place) -> _Window:
        window = self._windows.get(place)
        if window is None or self._is_over(window):
            asking = 0 if window is None else window.asking
            window = self._windows[place] = _Window(self._clock())
            window.asking = asking
            if len(self._windows) > MAX_WINDOWS:
                self._windows.popitem(last=False)
        self._windows.move_to_end(place)
        return window

    def _is_over(self, window: _Window) -> bool:
        return self._clock() - window.since >= WINDOW_S


Asked = dict[Place, list[Case]]
"""Who asks for which mailboxes in a session."""


class Gate:
    """Keeps out of sessions whose tenant found too many unknown users at their domain."""

    def __init__(self, guard: HarvestGuard) -> None:
        self._guard = guard

    def admit(self, lot: Lot) -> tuple[Lot, Asked]:
        """Return those that may be asked about, to be let out again; conclude the others."""
        asked: Asked = {}
        through = []
        for card, cases in lot:
            kept = self._let_through(card, cases, asked)
            if kept:
                through.append((card, kept))
        for place, group in asked.items():
            self._guard.asks(place, len(group))
        return through, asked

    def let_out(self, asked: Asked) -> None:
        """Take note of what became of them."""
        for place, group in asked.items():
            self._guard.learnt(place, len(group), [_found(case) for case in group])

    def _let_through(self, card: DomainCard, cases: list[Case], asked: Asked) -> list[Case]:
        """Conclude those of a domain that may not be asked, and return the others."""
        kept = []
        tenant: str | None = None
        for case in cases:
            # It is there, and only comes back about the domain's catch-all; or it was made up.
            if case.is_domain or (case.seen is not None and _found(case)):
                kept.append(case)
                continue
            if case.tenant != tenant:  # mostly all are of one
                tenant = case.tenant
                place = new(Place, (tenant, card.domain))
                group = asked.setdefault(place, [])
                public = case.membership is not None and case.membership.is_free
                room = self._guard.room(place, public=public)
            if len(group) < room:
                group.append(case)
                kept.append(case)
            else:
                case.forced = EntryStatus.UNKNOWN_USER_LIMIT
                case.conclude()
        return kept


def _found(case: Case) -> bool | None:
    """Whether the mailbox is there, as far as its host said so."""
    seen, reading = case.seen, case.reading
    if seen is None or seen.reply is None:
        return None
    if 200 <= seen.reply.code < 300:
        return True
    unknown = reading is not None and reading.meaning is Meaning.MAILBOX_DOES_NOT_EXIST
    return False if unknown else None
