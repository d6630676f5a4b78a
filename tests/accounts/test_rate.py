"""A rate for each key, in virtual time."""

import random

import pytest

from mailvet.accounts import rate as module
from mailvet.accounts.rate import Rate
from mailvet.model.access import Caller, Credential
from tests.store.samples import Clock


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    """Fifteen at once, the next one a sixth of a second later."""
    clock = Clock(0.0)
    rate = Rate(6, 15, clock=clock)
    assert [0.0] * 15 == [rate.take("k") for _ in range(15)]
    wait_s = rate.take("k")
    assert 1 / 6 == pytest.approx(wait_s)
    clock.advance(wait_s)

    assert 0 == rate.take("k")
    assert rate.take("k") > 0


def test_who_is_refused_pays_nothing() -> None:
    """However often it comes too early, it is let in when it was told."""
    clock = Clock(0.0)
    rate = Rate(2, 1, clock=clock)
    rate.take("k")
    for _ in range(100):
        assert 0.5 == rate.take("k")
    clock.advance(0.5)
    assert 0 == rate.take("k")


def test_keys_do_not_hold_each_other_up() -> None:
    """Each has a burst of its own."""
    rate = Rate(1, 1, clock=Clock(0.0))
    assert (0, 0) == (rate.take("a"), rate.take("b"))
    assert rate.take("a") > 0


def test_no_rate_holds_nobody() -> None:
    """Zero is any number."""
    rate = Rate(0, 1, clock=Clock(0.0))
    assert {0.0} == {rate.take("k") for _ in range(1_000)}
    assert 0 == rate.used("k")


def test_in_the_long_run_the_rate_is_kept() -> None:
    """An hour of calls at random moments: never more than the burst and the rate allow."""
    chance = random.Random(7)
    clock = Clock(0.0)
    rate = Rate(6, 15, clock=clock)
    passed = 0
    while clock.now < 3_600:
        passed += rate.take("k") == 0
        clock.advance(chance.expovariate(20))
    assert 6 * 3_600 - 30 <= passed <= 6 * 3_600 + 15


def test_what_is_used_of_a_burst_comes_back() -> None:
    """One call after the other."""
    clock = Clock(0.0)
    rate = Rate(2, 4, clock=clock)
    for _ in range(3):
        rate.take("k")
    assert 3 == rate.used("k")
    clock.advance(0.5)
    assert 2 == rate.used("k")
    clock.advance(10)
    assert 0 == rate.used("k")


def test_not_all_keys_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes up keys cannot fill the memory; the oldest is forgotten."""
    monkeypatch.setattr(module, "MAX_KEYS", 2)
    rate = Rate(1, 1, clock=Clock(0.0))
    for key in ("a", "b", "c"):
        rate.take(key)
    assert rate.take("c") > 0
    assert 0 == rate.take("a")


@pytest.mark.parametrize(
    ("caller", "rated_as"),
    [
        (Caller("acme"), ""),
        (Caller("acme", "k1", credential=Credential.API_KEY), "k1"),
        (Caller("acme", "k1", credential=Credential.TOKEN), "k1"),
        (Caller("acme", credential=Credential.CERTIFICATE), "tenant acme"),
    ],
)
def test_everybody_who_shows_something_has_a_rate(caller: Caller, rated_as: str) -> None:
    """A token has its key's; certificates, which have no id of ours, that of their tenant."""
    assert rated_as == caller.rated_as
