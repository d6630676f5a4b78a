"""The decision table: which finding wins, and what follows from it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from mailvet.model.finding import Finding, Outcome
from mailvet.model.result import RiskPoint
from mailvet.model.status import Category, Classification, EntryStatus, classification_of
from mailvet.verdict.points import Weights, default_weights, points_of, score_of
from mailvet.verdict.policy import Scheme

_S = EntryStatus

PRECEDENCE: tuple[EntryStatus, ...] = (
    # What the caller or the list itself says comes before anything observed.
    _S.OVERRIDE_MATCH,
    _S.DUPLICATE,
    # Syntax and DNS can rule a mailbox out for good.
    *(status for status in EntryStatus if 50 <= status <= 63),
    _S.DOMAIN_DOES_NOT_EXIST,
    _S.DOMAIN_HAS_NULL_MX,
    # The exchanger's own words about the mailbox.
    _S.MAILBOX_DOES_NOT_EXIST,
    _S.MAILBOX_IS_DISABLED,
    _S.RELAY_DENIED,
    _S.DOMAIN_IS_MISCONFIGURED,
    _S.SERVER_DOES_NOT_SUPPORT_INTERNATIONAL_MAILBOXES,
    # Known risks hold whether the exchanger answered or not.
    _S.MAILBOX_IS_DEA,
    _S.DOMAIN_IS_WELL_KNOWN_DEA,
    _S.MAIL_EXCHANGER_IS_WELL_KNOWN_DEA,
    _S.MAIL_EXCHANGER_IS_HONEYPOT,
    _S.MAIL_EXCHANGER_IS_PARKED,
    # Nothing certain was learnt: the earliest step that failed is the reason.
    _S.UNHANDLED_EXCEPTION,
    _S.DNS_CONNECTION_FAILURE,
    _S.DNS_QUERY_TIMEOUT,
    _S.DOMAIN_OPTED_OUT,
    _S.UNKNOWN_USER_LIMIT,
    _S.LOCAL_EGRESS_UNAVAILABLE,
    _S.SMTP_CONNECTION_FAILURE,
    _S.SMTP_CONNECTION_TIMEOUT,
    _S.LOCAL_END_POINT_REJECTED,
    _S.LOCAL_SENDER_ADDRESS_REJECTED,
    _S.SMTP_DIALOG_ERROR,
    _S.SERVER_TEMPORARY_UNAVAILABLE,
    _S.MAILBOX_TEMPORARILY_UNAVAILABLE,
    _S.MAILBOX_VALIDATION_TIMEOUT,
    # The mailbox was accepted; what tempers that comes before plain success.
    _S.MAILBOX_HAS_INSUFFICIENT_STORAGE,
    _S.SERVER_IS_CATCH_ALL,
    _S.CATCH_ALL_VALIDATION_TIMEOUT,
    _S.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS,
    _S.SUCCESS,
)
_RANK = {status: rank for rank, status in enumerate(PRECEDENCE)}

GREY_FROM_SCORE = 25
"""A deliverable address with as many points as a RISKY one deserves the same second thought."""


class Verdict(NamedTuple):
    """What is concluded about one entry."""

    status: EntryStatus
    classification: Classification
    risk_score: int
    risk_points: tuple[RiskPoint, ...]
    category: Category
    custom_classification: str = ""
    """The label of the tenant's scheme."""


_NOTHING_FOUND = Finding(check="engine", outcome=Outcome.TEMPERROR, status=_S.UNHANDLED_EXCEPTION)


def conclude(
    findings: Iterable[Finding],
    traits: Sequence[str] = (),
    weights: Weights | None = None,
    scheme: Scheme | None = None,
) -> Verdict:
    """Return the verdict of the finding that wins; no finding with a status is our own fault.

    `traits` are the names of traits that add risk points (`free`, `role`, ...). `scheme` says what
    statuses mean to the caller: it changes the classification, and with it score and category,
    never the status.
    """
    winner = min(
        (finding for finding in findings if finding.status is not None),
        key=_rank,
        default=_NOTHING_FOUND,
    )
    status = winner.status
    assert status is not None
    classification = winner.classification
    weights = weights or default_weights()
    row = scheme.get(status) if scheme else None
    if row is None:
        return _work_out(status, classification, tuple(traits), weights)
    verdict = _work_out(status, row.classification or classification, tuple(traits), weights)
    return verdict._replace(custom_classification=row.label)


def _rank(finding: Finding) -> int:
    return _RANK[finding.status]  # type: ignore[index]  # only those with a status compete


@lru_cache(maxsize=4096)  # few combinations of status and traits exist
def _work_out(
    status: EntryStatus,
    given: Classification | None,
    traits: tuple[str, ...],
    weights: Weights,
) -> Verdict:
    """The verdict of a status; `given` stands in for the classification that goes with it."""
    classification = classification_of(status) if given is None else given
    points = points_of(status, classification, traits, weights)
    score = score_of(points)
    return Verdict(status, classification, score, points, _category(classification, score))


def _category(classification: Classification, score: int) -> Category:
    if classification is Classification.UNDELIVERABLE:
        return Category.BLACK
    if classification is Classification.DELIVERABLE and score < GREY_FROM_SCORE:
        return Category.WHITE
    return Category.GREY
