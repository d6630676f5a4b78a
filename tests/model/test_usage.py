"""What answers cost."""

import pytest

from mailvet.model.status import EntryStatus, QualityLevel
from mailvet.model.usage import Usage, foreseen_halves, shown_units, usage_of

S = EntryStatus


@pytest.mark.parametrize(
    ("quality", "halves"),
    [(QualityLevel.STANDARD, 2), (QualityLevel.HIGH, 4), (QualityLevel.EXTREME, 6)],
)
def test_a_verified_entry_costs_by_its_quality(quality: QualityLevel, halves: int) -> None:
    """Whatever the answer is, a bad one as well as a good one."""
    for status in (S.SUCCESS, S.MAILBOX_DOES_NOT_EXIST, S.SERVER_IS_CATCH_ALL, S.DNS_QUERY_TIMEOUT):
        assert Usage(verified=1, halves=halves) == usage_of([(status, 1)], quality)


def test_an_answer_from_memory_costs_half() -> None:
    """Half of a unit is the smallest price."""
    usage = usage_of([(S.SUCCESS, 3)], QualityLevel.STANDARD, [S.SUCCESS])
    assert Usage(verified=2, cached=1, halves=5) == usage


def test_what_was_not_verified_is_free() -> None:
    """Syntax failures, duplicates and the caller's own rules; our own faults too."""
    free = [(S.AT_SIGN_NOT_FOUND, 2), (S.ISP_SPECIFIC_SYNTAX_FAILURE, 1), (S.DUPLICATE, 4)]
    ours = [(S.LOCAL_EGRESS_UNAVAILABLE, 2), (S.UNHANDLED_EXCEPTION, 1)]
    usage = usage_of([*free, (S.OVERRIDE_MATCH, 1), *ours], QualityLevel.EXTREME)

    assert Usage(free=8, unanswered=3) == usage


def test_every_status_is_counted_once() -> None:
    """The four counts add up to all entries, for each status there is."""
    usage = usage_of([(status, 1) for status in S], QualityLevel.STANDARD)
    assert len(S) == usage.verified + usage.cached + usage.free + usage.unanswered


def test_what_was_foreseen_is_at_least_what_it_costs() -> None:
    """For every status, from memory or not: a reservation always covers the charge."""
    for status in S:
        for quality in list(QualityLevel)[1:]:
            foreseen = foreseen_halves([(status, 1)], quality)
            assert usage_of([(status, 1)], quality).halves <= foreseen
            assert usage_of([(status, 1)], quality, [status]).halves <= foreseen


@pytest.mark.parametrize(
    ("halves", "shown"), [(0, "0"), (1, "0.5"), (3, "1.5"), (2_000_001, "1000000.5"), (-3, "-1.5")]
)
def test_units_are_shown_exactly(halves: int, shown: str) -> None:
    """Never rounded, never with an exponent."""
    assert shown == shown_units(halves)
