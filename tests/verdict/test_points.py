"""Risk points of an operator's own."""

import pytest

from mailvet.model.finding import Finding, Outcome
from mailvet.model.status import Classification, EntryStatus
from mailvet.verdict import conclude
from mailvet.verdict.points import default_weights, read_weights

FULL = EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE


def test_what_is_left_out_stays() -> None:
    """A file may have one line; all the others are the built-in ones."""
    ours, theirs = default_weights(), read_weights("[trait]\nrole = 30")
    assert {**ours.trait, "role": 30} == theirs.trait
    assert (ours.classification, ours.status) == (theirs.classification, theirs.status)
    assert ours.trait == read_weights("").trait


def test_every_table_may_be_set() -> None:
    """Also for a status that has no points of its own."""
    weights = read_weights("classification.RISKY = 1\nstatus.SUCCESS = 7\ntrait.free = -3")
    assert 1 == weights.classification[Classification.RISKY]
    assert 7 == weights.status[EntryStatus.SUCCESS]
    assert -3 == weights.trait["free"]


def test_other_weights_give_another_score_at_once() -> None:
    """Two sets of weights are never taken for each other, however often they are asked."""
    findings = [Finding(check="mailbox", outcome=Outcome.PASS, status=FULL)]
    light, heavy = (
        read_weights(f"status.{FULL.name} = {points}\nclassification.RISKY = 0")
        for points in (5, 90)
    )
    for _ in range(2):
        assert 5 == conclude(findings, (), light).risk_score
        assert 90 == conclude(findings, (), heavy).risk_score
        assert 50 == conclude(findings).risk_score


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[traits]\nrole = 1", "traits is no table; did you mean trait"),
        ("trait.rolle = 1", "rolle is no trait; did you mean role"),
        ("status.SUCESS = 1", "did you mean SUCCESS"),
        ("status.UNSPECIFIED = 1", "is no status"),
        ("classification.GOOD = 1", "there are DELIVERABLE"),
        ("trait.role = 1.5", "whole number"),
        ("trait.role = true", "whole number"),
        ("trait.role = 101", "-100 to 100"),
        ("trait = 3", "is a table"),
        ("= 3", "line 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, word: str) -> None:
    """With the nearest name that there is, or with what is allowed."""
    with pytest.raises(ValueError, match=word):
        read_weights(text)
