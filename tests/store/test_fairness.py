"""Stamps of weighted fair queueing."""

import pytest

from mailvet.store.fairness import cost, stamps


@pytest.mark.parametrize(
    ("priority", "expected"), [(127, 256.0), (159, 128.0), (95, 512.0), (255, 16.0)]
)
def test_thirty_two_steps_of_priority_halve_the_cost(priority: int, expected: float) -> None:
    """The middle costs what it is; the extremes are sixteen times cheaper or dearer."""
    assert expected == cost(256, priority)


def test_a_late_batch_starts_at_the_virtual_time() -> None:
    """Its own past counts only when it is ahead of that."""
    assert [110.0, 130.0] == stamps([10, 20], priority=127, virtual_time=100.0, last=40.0)
    assert [150.0, 170.0] == stamps([10, 20], priority=127, virtual_time=100.0, last=140.0)
