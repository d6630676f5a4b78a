"""The decision table."""

import pytest

from mailvet.model.finding import Finding, Outcome
from mailvet.model.ruling import SchemeRow
from mailvet.model.status import Category, Classification, EntryStatus, classification_of
from mailvet.verdict import conclude
from mailvet.verdict.conclude import PRECEDENCE
from mailvet.verdict.points import Weights, default_weights


def _finding(status: EntryStatus | None) -> Finding:
    return Finding(check="a check", outcome=Outcome.FAIL, status=status)


def test_every_status_has_its_place_in_the_table() -> None:
    """The table ranks each status exactly once."""
    assert set(EntryStatus) - {EntryStatus.UNSPECIFIED} == set(PRECEDENCE)
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (EntryStatus.DUPLICATE, EntryStatus.MAILBOX_DOES_NOT_EXIST),
        (EntryStatus.MAILBOX_DOES_NOT_EXIST, EntryStatus.DOMAIN_IS_WELL_KNOWN_DEA),
        (EntryStatus.DOMAIN_DOES_NOT_EXIST, EntryStatus.DOMAIN_IS_WELL_KNOWN_DEA),
        (EntryStatus.DOMAIN_IS_WELL_KNOWN_DEA, EntryStatus.DNS_QUERY_TIMEOUT),
        (EntryStatus.DOMAIN_IS_WELL_KNOWN_DEA, EntryStatus.SUCCESS),
        (EntryStatus.MAIL_EXCHANGER_IS_PARKED, EntryStatus.SERVER_IS_CATCH_ALL),
        (EntryStatus.LOCAL_EGRESS_UNAVAILABLE, EntryStatus.SMTP_CONNECTION_FAILURE),
        (EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE, EntryStatus.SERVER_IS_CATCH_ALL),
        (EntryStatus.SERVER_IS_CATCH_ALL, EntryStatus.SUCCESS),
        (EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT, EntryStatus.SUCCESS),
    ],
)
def test_the_stronger_finding_wins(winner: EntryStatus, loser: EntryStatus) -> None:
    """Whatever the order findings come in, the one that is ranked first decides."""
    assert winner == conclude([_finding(loser), _finding(winner), _finding(None)]).status
    assert winner == conclude([_finding(winner), _finding(loser)]).status


def test_no_finding_at_all_is_our_fault() -> None:
    """An entry about which nothing was found is UNKNOWN, never anything worse."""
    verdict = conclude([_finding(None)])
    assert EntryStatus.UNHANDLED_EXCEPTION == verdict.status
    assert Classification.UNKNOWN == verdict.classification


@pytest.mark.parametrize("status", [s for s in EntryStatus if s is not EntryStatus.UNSPECIFIED])
def test_a_score_is_the_sum_of_its_points(status: EntryStatus) -> None:
    """The score is between 0 and 100, and its named points add up to it."""
    verdict = conclude([_finding(status)], ["role", "free"])
    total = sum(point.points for point in verdict.risk_points)
    assert max(0, min(100, total)) == verdict.risk_score
    assert verdict.classification == classification_of(status)


def test_categories_follow_classification_and_score() -> None:
    """White may be sent to, black may not, everything else deserves a second thought."""
    assert Category.WHITE == conclude([_finding(EntryStatus.SUCCESS)]).category
    assert Category.BLACK == conclude([_finding(EntryStatus.MAILBOX_DOES_NOT_EXIST)]).category
    assert Category.GREY == conclude([_finding(EntryStatus.SERVER_IS_CATCH_ALL)]).category
    assert Category.GREY == conclude([_finding(EntryStatus.SMTP_DIALOG_ERROR)]).category


def test_weights_are_tunable() -> None:
    """A caller's own weights change the score and nothing else."""
    ours = default_weights()
    weights = Weights(ours.classification, ours.status, {"role": 90})
    verdict = conclude([_finding(EntryStatus.SUCCESS)], ["role"], weights)
    assert 90 == verdict.risk_score
    assert EntryStatus.SUCCESS == verdict.status


def test_a_scheme_changes_what_a_status_means() -> None:
    """Classification, score and category follow it; the status does not."""
    catch_all = EntryStatus.SERVER_IS_CATCH_ALL
    scheme = {catch_all: SchemeRow(catch_all, Classification.DELIVERABLE, "send-slowly")}
    verdict = conclude([_finding(catch_all)], scheme=scheme)

    assert (catch_all, Classification.DELIVERABLE) == (verdict.status, verdict.classification)
    assert ("send-slowly", Category.WHITE) == (verdict.custom_classification, verdict.category)
    assert conclude([_finding(catch_all)]).risk_score > verdict.risk_score


def test_a_label_alone_changes_nothing_else() -> None:
    """A row without a classification keeps the ordinary one; other statuses have no label."""
    scheme = {EntryStatus.SUCCESS: SchemeRow(EntryStatus.SUCCESS, label="send")}
    success = conclude([_finding(EntryStatus.SUCCESS)], scheme=scheme)
    other = conclude([_finding(EntryStatus.RELAY_DENIED)], scheme=scheme)

    assert conclude([_finding(EntryStatus.SUCCESS)]) == success._replace(custom_classification="")
    assert "send" == success.custom_classification
    assert conclude([_finding(EntryStatus.RELAY_DENIED)]) == other
