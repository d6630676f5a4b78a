"""When an entry is tried again."""

import random

import pytest

from mailvet.engine.retry import JITTER, WAITS_S, RetrySchedule
from mailvet.model.status import QualityLevel


def test_standard_quality_is_one_pass() -> None:
    """At STANDARD nothing waits for a later attempt."""
    assert RetrySchedule().wait_s(QualityLevel.STANDARD, 0) is None


@pytest.mark.parametrize("quality", [QualityLevel.HIGH, QualityLevel.EXTREME])
def test_waits_are_the_schedules_with_a_little_jitter(quality: QualityLevel) -> None:
    """Each attempt has its wait, up to a tenth longer, and the last one has none."""
    schedule = RetrySchedule(rng=random.Random(1))
    for attempt, base_s in enumerate(WAITS_S[quality]):
        wait_s = schedule.wait_s(quality, attempt)
        assert wait_s is not None
        assert base_s <= wait_s <= base_s * (1 + JITTER)
    assert schedule.wait_s(quality, len(WAITS_S[quality])) is None


def test_extreme_quality_waits_up_to_a_day() -> None:
    """EXTREME gives a greylisted mailbox most of a day, HIGH some minutes."""
    assert 12 * 3600 <= sum(WAITS_S[QualityLevel.EXTREME]) <= 24 * 3600
    assert 300 <= sum(WAITS_S[QualityLevel.HIGH]) <= 3600


def test_waits_can_be_scaled() -> None:
    """Tests and the demo shorten every wait by one setting."""
    wait_s = RetrySchedule(scale=0.01, rng=random.Random(1)).wait_s(QualityLevel.HIGH, 0)
    assert wait_s is not None
    assert wait_s < 1
