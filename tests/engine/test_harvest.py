"""Who guesses names, and who has an old list: in virtual time."""

from structlog.testing import capture_logs

from mailvet.engine.harvest import PUBLIC_FACTOR, WINDOW_S, HarvestGuard, Place
from tests.store.samples import Clock

HERE = Place("acme", "example.org")


def ask(guard: HarvestGuard, *found: bool | None, place: Place = HERE) -> None:
    """One session that asked and heard."""
    guard.asks(place, len(found))
    guard.learnt(place, len(found), found)


def test_guesses_are_stopped_at_the_limit() -> None:
    """Not one more is let through, until the hour is over; it is said once."""
    clock = Clock()
    guard = HarvestGuard(5, clock=clock)
    ask(guard, False, False)
    assert 3 == guard.room(HERE, public=False)
    ask(guard, False, False, False)
    with capture_logs() as logs:
        assert 0 == guard.room(HERE, public=False)
        assert 0 == guard.room(HERE, public=False)
    assert [("harvest.closed", "example.org", 5)] == [
        (line["event"], line["domain"], line["unknown"]) for line in logs
    ]
    clock.advance(WINDOW_S - 1)
    assert 0 == guard.room(HERE, public=False)
    clock.advance(1)
    assert 5 == guard.room(HERE, public=False)


def test_an_old_list_is_no_guess() -> None:
    """As long as most of what is asked is there, any number may be missing."""
    guard = HarvestGuard(5, clock=Clock())
    for _ in range(100):
        ask(guard, True, True, False)
    assert 5 == guard.room(HERE, public=False)
    ask(guard, *[False] * 101)
    assert guard.room(HERE, public=False) <= 0


def test_what_is_under_way_counts_as_what_was_before() -> None:
    """Sessions side by side do not find more than one after the other."""
    guard = HarvestGuard(10, clock=Clock())
    ask(guard, False, False)
    guard.asks(HERE, 6)
    assert 2 == guard.room(HERE, public=False)
    guard.learnt(HERE, 6, [None] * 6)
    assert 8 == guard.room(HERE, public=False)


def test_tenants_and_domains_are_apart() -> None:
    """One that is closed leaves the others open."""
    guard = HarvestGuard(1, clock=Clock())
    ask(guard, False)
    assert [0, 1, 1] == [
        guard.room(place, public=False)
        for place in (HERE, Place("other", HERE.domain), Place("acme", "example.net"))
    ]


def test_public_providers_bear_more() -> None:
    """Every list has many of their mailboxes."""
    guard = HarvestGuard(1, clock=Clock())
    ask(guard, False)
    assert PUBLIC_FACTOR - 1 == guard.room(HERE, public=True)


def test_no_limit_closes_nothing() -> None:
    """Zero is any number."""
    guard = HarvestGuard(0, clock=Clock())
    ask(guard, *[False] * 1_000)
    assert guard.room(HERE, public=False) > 10**6
