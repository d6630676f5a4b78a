"""Whether the host's clock can be trusted."""

from mailvet.serve.clock import OLDEST, clock_fault


def test_a_day_long_past_is_a_fault() -> None:
    """A host without a battery wakes up in 1970."""
    assert "this day is long past" == clock_fault(0.0)


def test_today_is_at_worst_unkept() -> None:
    """What the kernel knows is all there is against it."""
    assert clock_fault(OLDEST + 1) in ("", "the kernel says that nothing keeps it right")
