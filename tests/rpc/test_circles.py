"""Circles are looked for often among what is new, and seldom among what is old."""

from collections import Counter

from mailvet.rpc.circles import DEEPER_EVERY, DEEPEST_EVERY, SWEEP_CALLS, Circles


def test_the_older_the_objects_the_fewer_looks() -> None:
    """Of thousands of sweeps most look at the youngest generation alone."""
    looks: Counter[int] = Counter()
    circles = Circles(lambda generation: looks.update([generation]))
    for _ in range(SWEEP_CALLS * DEEPEST_EVERY):
        circles.call_ended()
    assert looks == {
        0: DEEPEST_EVERY - DEEPEST_EVERY // DEEPER_EVERY,
        1: DEEPEST_EVERY // DEEPER_EVERY - 1,
        2: 1,
    }


def test_nothing_is_swept_before_there_is_something() -> None:
    """One call costs a count."""
    looks: list[int] = []
    circles = Circles(looks.append)
    for _ in range(SWEEP_CALLS - 1):
        circles.call_ended()
    assert not looks
