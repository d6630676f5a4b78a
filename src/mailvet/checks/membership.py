"""What lists say about an address and its exchangers."""

from mailvet.lists import Membership, Operator
from mailvet.model.finding import Finding, Outcome
from mailvet.model.status import EntryStatus

_DISPOSABLE_DOMAIN = Finding(
    check="lists",
    outcome=Outcome.FAIL,
    status=EntryStatus.DOMAIN_IS_WELL_KNOWN_DEA,
    rule="lists.disposable_domain",
)
_BY_OPERATOR = {
    "disposable": Finding(
        check="lists",
        outcome=Outcome.FAIL,
        status=EntryStatus.MAIL_EXCHANGER_IS_WELL_KNOWN_DEA,
        rule="lists.disposable_exchanger",
    ),
    "parked": Finding(
        check="lists",
        outcome=Outcome.FAIL,
        status=EntryStatus.MAIL_EXCHANGER_IS_PARKED,
        rule="lists.parked_exchanger",
    ),
}


def check_membership(membership: Membership, operator: Operator | None) -> list[Finding]:
    """Judge list memberships; an empty list when no list knows the address or its operator."""
    findings = [_DISPOSABLE_DOMAIN] if membership.is_disposable else []
    if operator is not None and operator.category in _BY_OPERATOR:
        findings.append(_BY_OPERATOR[operator.category])
    return findings
