"""Which cases share a session, and what those hear that wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.gathering import Gathering
from mailvet.engine.pace import PaceLimits
from mailvet.engine.routes import Lot, Route, RouteDesk
from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.model.status import QualityLevel
from mailvet.model.step import Spoken, Step

EXCHANGER = Exchanger(host="mx.example.net", preference=10, addresses=("192.0.2.1",))
ANSWER = MxAnswer(outcome=MxOutcome.EXCHANGERS, exchangers=(EXCHANGER,), hosts=("mx.example.net",))


def _card(domain: str = "example.org") -> DomainCard:
    card = DomainCard(domain)
    card.answer = ANSWER
    return card


def _case(name: str, done: Callable[[Case], None] = lambda _case: None) -> Case:
    return Case(
        entry_index=0,
        input_data=name,
        custom="",
        duplicate_of=None,
        attempt=0,
        quality=QualityLevel.STANDARD,
        done=done,
    )


@dataclass
class _Desk:
    """A desk whose sessions end when they are let go."""

    lots: list[list[str]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.gate = asyncio.Semaphore(0)
        limits = PaceLimits(sessions=1)
        self.desk = RouteDesk(self.visit, limits=limits, max_sessions=9, clock=lambda: self.now)

    async def visit(self, route: Route, lot: Lot) -> None:
        self.route = route
        self.lots.append([case.input_data for _, cases in lot for case in cases])
        await self.gate.acquire()

    async def let_go(self, sessions: int) -> None:
        """Let sessions end one after the other, each with what it starts."""
        for _ in range(sessions):
            self.gate.release()
            for _ in range(5):
                await asyncio.sleep(0)


async def test_who_is_listened_to_is_visited_alone() -> None:
    """Others of the domain go in the session before and the one after, in their order."""
    desk, card, heard = _Desk(), _card(), list[Step]()
    alone = _case("alone")
    alone.tell = heard.append
    desk.desk.submit(card, [_case("first")])
    desk.desk.submit(card, [_case("a"), _case("b")])
    desk.desk.submit(card, [alone])
    desk.desk.submit(_card("example.com"), [_case("c")])
    desk.desk.submit(card, [_case("d")])
    await desk.let_go(5)

    assert [["first"], ["a", "b"], ["alone"], ["c", "d"]] == desk.lots
    await desk.desk.close()


async def test_who_is_listened_to_hears_why_it_waits() -> None:
    """A session under way, a complaint of the exchanger, or our own pause."""
    desk, card, heard = _Desk(), _card(), list[Step]()

    def submit() -> str:
        case = _case("alone")
        case.tell = heard.append
        desk.desk.submit(card, [case], first=True)
        said = heard.pop()
        assert isinstance(said, Spoken)
        return said.text

    desk.desk.submit(card, [_case("first")])
    assert "session that is under way" in submit()
    desk.desk.paused = True
    assert "from here" in submit()
    desk.desk.paused = False
    await desk.let_go(3)
    desk.route.pace.complained()
    assert "waiting 2.0 s: the exchanger asked for less" == submit()
    await desk.desk.close()


def _elsewhere(number: int) -> DomainCard:
    """A domain with an exchanger of its own."""
    card = DomainCard(f"d{number}.example")
    host = f"mx.d{number}.example"
    exchanger = Exchanger(host=host, preference=10, addresses=("192.0.2.1",))
    card.answer = MxAnswer(outcome=MxOutcome.EXCHANGERS, exchangers=(exchanger,), hosts=(host,))
    return card


async def test_routes_that_wait_for_a_session_have_their_turn() -> None:
    """First come, first visited, whoever came and went before."""
    desk = _Desk()
    for number in range(20):
        desk.desk.submit(_elsewhere(number), [_case(str(number))])
    await desk.let_go(20)
    assert [[str(number)] for number in range(20)] == desk.lots
    await desk.desk.close()


async def test_idle_routes_are_forgotten() -> None:
    """What was learnt of routes stays as long as there is room or they are at work."""
    desk = _Desk()
    desk.desk._forget_at = 6
    for number in range(6):
        desk.desk.submit(_elsewhere(number), [_case(str(number))])
    await desk.let_go(3)
    assert 6 == len(desk.desk._routes)
    desk.desk.submit(_elsewhere(6), [_case("6")])
    kept = [route.key for route in desk.desk._routes.values()]
    assert [f"mx.d{number}.example" for number in (3, 4, 5, 6)] == kept
    await desk.desk.close()


async def test_an_abandoned_case_does_not_keep_others_waiting() -> None:
    """When it was to ask for the catch-all that others wait for, the next one asks."""
    desk, card, concluded = _Desk(), _card(), list[str]()
    gone = _case("gone", lambda case: concluded.append(case.input_data))
    desk.desk.submit(card, [_case("first")])
    card.waiting.append(_case("patient"))
    desk.desk.submit(card, [gone], first=True)
    gone.abandon()
    await desk.let_go(2)

    assert ["gone"] == concluded
    assert [["first"], ["patient"]] == desk.lots
    await desk.desk.close()


async def test_a_session_waits_for_company() -> None:
    """What comes while others are on the way goes along; a full session does not wait."""
    desk, gathering = _Desk(), Gathering(60.0)
    desk.desk = RouteDesk(
        desk.visit,
        limits=PaceLimits(sessions=2, recipients=3),
        max_sessions=9,
        clock=lambda: 0.0,
        gathering=gathering,
    )
    gathering.expect()
    desk.desk.submit(_card("a.example"), [_case("a")])
    desk.desk.submit(_card("b.example"), [_case("b")])
    await asyncio.sleep(0)
    assert [] == desk.lots

    desk.desk.submit(_card("c.example"), [_case("c"), _case("d")])
    await asyncio.sleep(0)
    assert [["a", "b", "c"]] == desk.lots
    await desk.desk.close()


async def test_who_must_not_wait_takes_those_who_do_along() -> None:
    """A caller who waits for one answer gets a session at once, and fills it."""
    desk, gathering = _Desk(), Gathering(60.0)
    desk.desk = RouteDesk(
        desk.visit,
        limits=PaceLimits(),
        max_sessions=9,
        clock=lambda: 0.0,
        gathering=gathering,
    )
    gathering.expect()
    desk.desk.submit(_card("a.example"), [_case("a")])
    desk.desk.submit(_card("b.example"), [_case("b")], first=True)
    await asyncio.sleep(0)

    assert [["b", "a"]] == desk.lots
    await desk.desk.close()


async def test_batches_take_turns() -> None:
    """A session each, though one has all of its cases there before the other comes; who waits for
    his answer alone goes before both."""
    desk, card = _Desk(), _card()

    def of_batch(batch_key: int, names: str) -> list[Case]:
        cases = [_case(name) for name in names]
        for case in cases:
            case.batch_key = batch_key
        return cases

    desk.desk.submit(card, [_case("under way")])
    recipients = PaceLimits().recipients
    for _ in range(3):
        desk.desk.submit(card, of_batch(1, "l" * recipients))
    desk.desk.submit(card, of_batch(2, "s" * (recipients + 1)))
    desk.desk.submit(card, [_case("waits")], first=True)
    await desk.let_go(6)

    turns = ["".join(name[0] for name in lot) for lot in desk.lots]
    large, small = "l" * recipients, "s" * recipients
    assert ["u", "w" + large[1:], large, small, large, "s" + "l"] == turns
    await desk.desk.close()
