"""How long the worker collects results for one commit."""

from mailvet.engine.rhythm import MANY_RESULTS, Rhythm


def test_results_of_a_short_list_are_settled_soon_and_those_of_a_long_one_together() -> None:
    """Few results wait for little company, many for more of it."""
    rhythm = Rhythm(settle_every_s=0.02, settle_busy_s=0.1)
    assert rhythm.collect_s(0) == 0.02
    assert rhythm.collect_s(MANY_RESULTS - 1) == 0.02
    assert rhythm.collect_s(MANY_RESULTS) == 0.1
