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
    assert RateMeter(Clock()).pace(1, 50, running_s=10.0) == (5.0, 0.0)


def test_a_batch_launched_this_moment_has_no_rate() -> None:
    """No time has passed: no division by zero."""
    assert RateMeter(Clock()).pace(1, 0, running_s=0.0) == (0.0, 0.0)


def test_later_looks_give_the_late_rate() -> None:
    """What happened before the window does not count."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.pace(1, 0, 1.0)
    for second in range(1, 121):
        clock.now += 1
        found = meter.pace(1, second if second <= 60 else 60 + (second - 60) * 10, float(second))

    assert found == (10.0, 0.0)


def test_the_time_before_the_first_result_does_not_count() -> None:
    """Not any more, once as much was seen of the time after it."""
    clock = Clock()
    meter = RateMeter(clock)
    found = []
    for count in (0, 0, 10, 20, 30, 40):
        found.append(meter.pace(1, count, clock.now - 100.0).rate)
        clock.now += 1

    assert [0.0, 0.0, 5.0, 10.0, 10.0, 10.0] == found


def test_between_two_bursts_the_rate_stays() -> None:
    """It is that up to the last one, and so much is over of what remained then."""
    clock = Clock()
    meter = RateMeter(clock)
    for second in range(1, 31):
        clock.now += 1
        found = meter.pace(1, second // 5 * 50, float(second))
        assert second < 5 or found == (10.0, second % 5)


def test_a_batch_that_stands_still_slows_down() -> None:
    """When there was no burst for longer than between any two before."""
    clock = Clock()
    meter = RateMeter(clock)
    for count in (10, 20, 30, 30):
        clock.now += 1
        found = meter.pace(1, count, clock.now - 100.0)
    assert found == (10.0, 1.0)
    clock.now += 2

    assert meter.pace(1, 30, 6.0) == (4.0, 0.0)


def test_batches_do_not_mix() -> None:
    """Each batch has its own counts."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.pace(1, 0, 1.0)
    meter.pace(2, 0, 1.0)
    clock.now += 10

    assert (1.0, 2.0) == (meter.pace(1, 10, 10.0).rate, meter.pace(2, 20, 10.0).rate)


def test_old_batches_are_forgotten() -> None:
    """Memory is bounded: the batch not asked for the longest starts again."""
    clock = Clock()
    meter = RateMeter(clock)
    meter.pace(0, 10, 1.0)
    for batch_key in range(1, rate.MAX_METERS + 1):
        meter.pace(batch_key, 10, 1.0)
    clock.now += 10

    assert meter.pace(0, 70, running_s=10.0).rate == 7.0
    assert meter.pace(rate.MAX_METERS, 50, running_s=11.0).rate == 4.0
