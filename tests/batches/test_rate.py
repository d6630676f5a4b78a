"""Rates."""

from mailvet.batches import rate
from mailvet.batches.rate import RateMeter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_look_gives_the_mean_since_the_launch() -> None:
    """Without earlier counts the rate is all results by all the time."""
    assert RateMeter(Clock()).rate(1, 50, running_s=10.0) == 5.0


def test_a_batch_launched_this_moment_has_no_rate() -> None:
    """No time has passed: no division by zero."""
    assert RateMeter(Clock()).rate(1, 0, running_s=0.0) == 0.0


def test_later_looks_give_the_late_rate() -> None:
    """What happened before the window does not count."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.rate(1, 0, 1.0)
    for second in range(1, 121):
        clock.now += 1
        found = meter.rate(1, second if second <= 60 else 60 + (second - 60) * 10, float(second))

    assert found == 10.0


def test_the_time_before_the_first_result_does_not_count() -> None:
    """As long as there is none the rate is 0; after that it is what came since."""
    clock = Clock()
    meter = RateMeter(clock)
    found = []
    for count in (0, 0, 0, 10, 20, 30):
        found.append(meter.rate(1, count, clock.now - 100.0))
        clock.now += 1

    assert [0.0, 0.0, 0.0, 10.0, 10.0, 10.0] == found


def test_batches_do_not_mix() -> None:
    """Each batch has its own counts."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.rate(1, 0, 1.0)
    meter.rate(2, 0, 1.0)
    clock.now += 10

    assert (1.0, 2.0) == (meter.rate(1, 10, 10.0), meter.rate(2, 20, 10.0))


def test_old_batches_are_forgotten() -> None:
    """Memory is bounded: the batch not asked for the longest starts again."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.rate(0, 0, 1.0)
    for batch_key in range(1, rate.MAX_METERS + 1):
        meter.rate(batch_key, 0, 1.0)
    clock.now += 10

    assert meter.rate(0, 70, running_s=10.0) == 7.0
    assert meter.rate(rate.MAX_METERS, 40, running_s=1.0) == 4.0
