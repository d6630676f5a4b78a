"""Which exchangers are waited for, in a sentence."""

import pytest

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.pace import Pace, PaceLimits
from mailvet.engine.routes import Route
from mailvet.engine.throttling import throttling
from mailvet.model.route import Exchanger
from mailvet.model.status import QualityLevel


def route(host: str, queued: int, cool_until: float) -> Route:
    """A route that cools off with cases in its queue."""
    pace = Pace(PaceLimits(), lambda: 0.0)
    pace.cool_until = cool_until
    exchanger = Exchanger(host=host, preference=1, addresses=("192.0.2.1",))
    made = Route(host, (exchanger,), pace)
    cases = [
        Case(at, "", "", None, 0, QualityLevel.STANDARD, lambda _: None) for at in range(queued)
    ]
    if cases:
        made.put(DomainCard("d.example"), cases, first=False)
    return made


@pytest.mark.parametrize("routes", [[], [route("mx.a.test", 0, 9.0)]])
def test_nobody_is_waited_for(routes: list[Route]) -> None:
    """A route without a queue holds nothing up."""
    assert throttling(routes, 0.0) is None


def test_those_with_the_most_entries_are_named() -> None:
    """The others are counted; waits are told in steps."""
    routes = [route(f"mx{n}.test", n, 7.0) for n in (1, 5, 3, 2)]
    assert (
        "exchangers asked for less: mx5.test (within 10 s, 5 entries wait),"
        " mx3.test (within 10 s, 3 entries wait), mx2.test (within 10 s, 2 entries wait), 1 more"
    ) == throttling(routes, 0.0)
    assert throttling(routes, 0.5) == throttling(routes, 0.0)
    assert "within 5 s" in str(throttling(routes, 6.9))
