"""The decision table: which finding wins, and what follows from it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from mailvet.model.finding import Finding
from mailvet.model.result import RiskPoint
from mailvet.model.status import Category, Classification, EntryStatus, classification_of
from mailvet.verdict.points import Weights, default_weights, points_of, score_of

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


def conclude(
    findings: Iterable[Finding],
    traits: Sequence[str] = (),
    weights: Weights | None = None,
) -> Verdict:
    """Return the verdict of the finding that wins; no finding with a status is our own fault.

    `traits` are the names of traits that add risk points (`free`, `role`, ...).
    """
    status = min(
        (finding.status for finding in findings if finding.status is not None),
        key=_RANK.__getitem__,
        default=_S.UNHANDLED_EXCEPTION,
    )
    return _verdict(status, tuple(traits), weights or default_weights())


def _verdict(status: EntryStatus, traits: tuple[str, ...], weights: Weights) -> Verdict:
    if weights is default_weights():
        return _default_verdict(status, traits)
    return _work_out(status, traits, weights)


@lru_cache(maxsize=4096)  # few combinations of status and traits exist
def _default_verdict(status: EntryStatus, traits: tuple[str, ...]) -> Verdict:
    return _work_out(status, traits, default_weights())


def _work_out(status: EntryStatus, traits: tuple[str, ...], weights: Weights) -> Verdict:
    classification = classification_of(status)
    points = points_of(status, classification, traits, weights)
    score = score_of(points)
    return Verdict(status, classification, score, points, _category(classification, score))


def _category(classification: Classification, score: int) -> Category:
    if classification is Classification.UNDELIVERABLE:
        return Category.BLACK
    if classification is Classification.DELIVERABLE and score < GREY_FROM_SCORE:
        return Category.WHITE
    return Category.GREY
