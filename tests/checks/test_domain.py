"""What DNS's answer says."""

import pytest

from mailvet.checks.domain import check_domain
from mailvet.model.finding import Outcome
from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.model.status import Classification, EntryStatus, classification_of


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (MxOutcome.EXCHANGERS, None),
        (MxOutcome.IMPLICIT, None),
        (MxOutcome.NULL_MX, EntryStatus.DOMAIN_HAS_NULL_MX),
        (MxOutcome.NO_DOMAIN, EntryStatus.DOMAIN_DOES_NOT_EXIST),
        (MxOutcome.NO_MAIL, EntryStatus.DOMAIN_IS_MISCONFIGURED),
        (MxOutcome.UNROUTABLE, EntryStatus.DOMAIN_IS_MISCONFIGURED),
        (MxOutcome.SERVER_FAILURE, EntryStatus.DNS_CONNECTION_FAILURE),
        (MxOutcome.TIMEOUT, EntryStatus.DNS_QUERY_TIMEOUT),
    ],
)
def test_each_outcome_of_dns_is_told_apart(outcome: MxOutcome, status: EntryStatus | None) -> None:
    """Golden rule 3: NXDOMAIN is not SERVFAIL, null MX is not "no MX"."""
    assert status == check_domain(MxAnswer(outcome=outcome)).status


def test_a_name_server_that_denies_a_great_provider_tells_about_itself() -> None:
    """Golden rule 1: NXDOMAIN for a domain that everybody knows is our resolver's fault."""
    for outcome in (MxOutcome.NO_DOMAIN, MxOutcome.NO_MAIL):
        finding = check_domain(MxAnswer(outcome=outcome), is_great=True)
        assert EntryStatus.DNS_CONNECTION_FAILURE == finding.status
        assert finding.retry
    assert check_domain(MxAnswer(outcome=MxOutcome.NULL_MX), is_great=True).status is not None


def test_every_outcome_has_a_finding() -> None:
    """No outcome is forgotten, and only trouble with DNS itself asks for a retry."""
    for outcome in MxOutcome:
        finding = check_domain(MxAnswer(outcome=outcome))
        unknown = finding.status is not None and (
            Classification.UNKNOWN == classification_of(finding.status)
        )
        assert unknown == finding.retry == (finding.outcome is Outcome.TEMPERROR)
