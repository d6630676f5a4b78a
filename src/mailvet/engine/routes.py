"""The desk of routes: who is asked next, by which session, and how many at once.

Recipients queue by route (the set of exchangers), so that one session serves many recipients,
also of different domains; a slow operator holds up nobody else.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import Any, Protocol

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.gathering import Gathering, Party
from mailvet.engine.pace import Pace, PaceLimits
from mailvet.model.route import Exchanger

Group = tuple[DomainCard, list[Case]]
Lot = list[tuple[DomainCard, list[Case]]]
"""What one session takes along: cases by domain."""

MAX_ROUTES = 20_000
"""Learnt limits are kept for this many routes; idle ones are forgotten first come, first gone."""
_FORGOTTEN_AT_ONCE = MAX_ROUTES // 10

ALONE_AFTER_PASSES = 2
"""A case that came back unanswered this often has sessions of its own: whatever breaks them off
then is about it, and not about those it would have travelled with."""


class Visitor(Protocol):
    """Who carries out one session."""

    def __call__(self, route: "Route", lot: Lot) -> Coroutine[Any, Any, None]:
        """Visit the route with these cases and hand every one of them on; never raises."""
        ...


class Route:
    """One set of exchangers: its queue and its pace.

    Batches take turns, a session each: else a small one would wait for all that is held of a large
    one. Their shares are those of what is handed out of each.
    """

    __slots__ = ("exchangers", "groups", "key", "pace", "queued", "ripe", "sessions", "timer")

    def __init__(self, key: str, exchangers: tuple[Exchanger, ...], pace: Pace) -> None:
        self.key = key
        self.exchangers = exchangers
        self.pace = pace
        self.groups: dict[int, deque[Group]] = {}
        """By batch, in the order of their turns; none is empty."""
        self.queued = 0
        """Cases in all groups."""
        self.ripe = False
        """Whether its queue has waited for company, or must not."""
        self.sessions = 0
        self.timer: asyncio.TimerHandle | None = None

    def put(self, card: DomainCard, cases: Iterable[Case], *, first: bool) -> list[Case]:
        """Queue cases of one domain; return the queue they are in."""
        queue = list(cases)
        self.queued += len(queue)
        if queue:
            batch_key = queue[0].batch_key
            groups = self.groups.get(batch_key)
            if groups is None:
                groups = self.groups[batch_key] = deque()
            if first:
                groups.appendleft((card, queue))
                self.groups = {batch_key: groups, **self.groups}
            else:
                groups.append((card, queue))
        return queue

    def clear(self) -> Iterator[Case]:
        """Take every case off the queue."""
        for groups in self.groups.values():
            for _, cases in groups:
                yield from cases
        self.groups = {}
        self.queued = 0
        self.ripe = False

    @property
    def is_full(self) -> bool:
        """Whether waiting for company would bring the next session nothing."""
        return self.queued >= self.pace.recipients or self.pace.one_domain

    def take(self) -> Lot:
        """Take the next session's cases off the queue, whole domains together."""
        turn = next(iter(self.groups), None)
        lot = self._fill()
        if turn in self.groups:
            self.groups[turn] = self.groups.pop(turn)
        self.ripe = self.ripe and bool(self.groups)
        return lot

    def _fill(self) -> Lot:
        room = self.pace.recipients
        # Where recipients are counted, the made-up one of each domain needs its place too.
        beside = 1 if self.pace.has_limit and room > 1 else 0
        lot: Lot = []
        while self.groups and room > beside:
            batch_key, groups = next(iter(self.groups.items()))
            card, cases = groups[0]
            alone = cases[0].tell is not None or cases[0].passes >= ALONE_AFTER_PASSES
            if alone and lot:
                break
            count = 1 if alone else min(room - beside, len(cases))
            wanted = cases[:count]
            del cases[:count]
            self.queued -= count
            kept = [case for case in wanted if not case.abandoned]
            if len(kept) < count:
                self._drop(card, cases, [case for case in wanted if case.abandoned])
            if kept:
                lot.append((card, kept))
                room -= len(kept) + beside
            if not cases:
                groups.popleft()
            if not groups:
                del self.groups[batch_key]
            if lot and (alone or self.pace.one_domain):
                break
        return lot

    def _drop(self, card: DomainCard, cases: list[Case], abandoned: list[Case]) -> None:
        """Conclude cases of a domain that nobody waits for; `cases` are the queued ones."""
        for case in abandoned:
            case.conclude()
            if card.waiting and not card.probing:
                # It was to ask for the catch-all that others wait for: the next one does.
                cases.append(card.waiting.pop())
                self.queued += 1

    @property
    def idle(self) -> bool:
        """Whether nothing of it is queued or under way."""
        return not self.groups and not self.sessions and self.timer is None


class RouteDesk:
    """Starts sessions as pace allows; one task a session, none an address."""

    def __init__(
        self,
        visitor: Visitor,
        *,
        limits: PaceLimits,
        max_sessions: int,
        clock: Callable[[], float],
        gathering: Gathering | None = None,
    ) -> None:
        """With `gathering`, sessions that are not full wait for company as it says."""
        self._visitor = visitor
        self._limits = limits
        self._max_sessions = max_sessions
        self._clock = clock
        self._gathering = gathering
        self._routes: dict[str, Route] = {}
        self._crowded: OrderedDict[Route, None] = OrderedDict()
        """Routes that wait for a free session, in order. A plain dict would look for its first one
        behind all that were taken out before."""
        self._cooling: dict[Route, None] = {}
        """Routes with a timer."""
        self._forget_at = MAX_ROUTES
        self._ripens = self._ripen  # bound once, not for every route that waits
        self._tasks: set[asyncio.Task[None]] = set()
        self.paused = False

    @property
    def sessions(self) -> int:
        """Sessions under way."""
        return len(self._tasks)

    @property
    def free(self) -> int:
        """Sessions that could be begun at once."""
        return max(0, self._max_sessions - len(self._tasks))

    def submit(self, card: DomainCard, cases: Iterable[Case], *, first: bool = False) -> None:
        """Queue cases of one domain for their route; `first` puts them at the head, and what is
        queued there waits for no company."""
        assert card.answer is not None
        route = self._route(card.answer.route, card.answer.exchangers)
        queued = route.put(card, cases, first=first)
        route.ripe = route.ripe or first or self._gathering is None
        self._start_sessions(route)
        if queued and queued[0].tell is not None:
            queued[0].heard("*", self._why_it_waits(route))

    def _why_it_waits(self, route: Route) -> str:
        if self.paused:
            return "waiting: nobody can be connected to from here just now"
        if route.timer is not None:
            left_s = route.pace.cool_until - self._clock()
            return f"waiting {left_s:.1f} s: the exchanger asked for less"
        return "waiting for a session that is under way"

    def cooling(self) -> list[Route]:
        """Routes that are held up by their exchangers' complaints."""
        return list(self._cooling)

    def try_one(self) -> bool:
        """While paused: start one session of the route that waits longest; False if none waits."""
        for route in self._crowded:
            if route.groups and not route.sessions:
                self._crowded.move_to_end(route)
                return self._start_session(route)
        return False

    def resume(self) -> None:
        """End a pause."""
        self.paused = False
        self._start_crowded()

    def take_all(self) -> list[Case]:
        """Take every queued case off every queue."""
        taken: list[Case] = []
        for route in self._routes.values():
            taken += route.clear()
        self._crowded.clear()
        return taken

    async def close(self, grace_s: float = 0.0) -> None:
        """Start no more sessions; after `grace_s` seconds cancel those that have not ended."""
        self.paused = True  # or each that ends would start another
        if self._gathering is not None:
            self._gathering.close()
        for route in self._cooling:
            if route.timer is not None:
                route.timer.cancel()
        if self._tasks and grace_s > 0:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _route(self, key: str, exchangers: tuple[Exchanger, ...]) -> Route:
        route = self._routes.get(key)
        if route is None:
            self._forget_idle()
            pace = Pace(self._limits, self._clock)
            route = self._routes[key] = Route(key, exchangers, pace)
        else:
            route.exchangers = exchangers
        return route

    def _forget_idle(self) -> None:
        if len(self._routes) < self._forget_at:
            return
        for key in [key for key, route in self._routes.items() if route.idle][:_FORGOTTEN_AT_ONCE]:
            del self._routes[key]
        # All may be at work: then they are not looked through again for each that comes.
        self._forget_at = max(MAX_ROUTES, len(self._routes) + _FORGOTTEN_AT_ONCE)

    def _start_sessions(self, route: Route) -> None:
        while route.groups and route.sessions < int(route.pace.sessions):
            if self._gathering is not None and not (route.ripe or route.is_full):
                self._gathering.wait(route, self._ripens)
                return
            wait_s = route.pace.cool_until - self._clock()
            if wait_s > 0:
                self._wake_later(route, wait_s)
                return
            if self.paused or len(self._tasks) >= self._max_sessions:
                self._crowded[route] = None
                return
            if not self._start_session(route):
                return

    def _ripen(self, route: Party) -> None:
        assert isinstance(route, Route)
        route.ripe = bool(route.groups)
        self._start_sessions(route)

    def _start_session(self, route: Route) -> bool:
        lot = route.take()
        if self._gathering is not None and not route.groups:
            self._gathering.leave(route)
        if not lot:
            return False
        route.sessions += 1
        task = asyncio.get_running_loop().create_task(self._visitor(route, lot))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, route))
        return True

    def _ended(self, route: Route, task: "asyncio.Task[None]") -> None:
        route.sessions -= 1
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the visitor never raises; a fault is asyncio's to report
        self._start_sessions(route)
        self._start_crowded()

    def _start_crowded(self) -> None:
        while self._crowded and not self.paused and len(self._tasks) < self._max_sessions:
            route, _ = self._crowded.popitem(last=False)
            self._start_sessions(route)

    def _wake_later(self, route: Route, wait_s: float) -> None:
        if route.timer is None:
            route.timer = asyncio.get_running_loop().call_later(wait_s, self._wake, route)
            self._cooling[route] = None

    def _wake(self, route: Route) -> None:
        route.timer = None
        del self._cooling[route]
        self._start_sessions(route)
