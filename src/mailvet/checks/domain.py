"""What DNS's answer about a domain says about its mailboxes."""

from mailvet.model.finding import Finding, Outcome
from mailvet.model.route import MxAnswer, MxOutcome
from mailvet.model.status import EntryStatus

_FINDINGS = {
    MxOutcome.EXCHANGERS: Finding(check="domain", outcome=Outcome.PASS, rule="domain.mx"),
    # RFC 5321 5.1: without MX the domain itself is the exchanger.
    MxOutcome.IMPLICIT: Finding(check="domain", outcome=Outcome.PASS, rule="domain.implicit_mx"),
    # RFC 7505 3.
    MxOutcome.NULL_MX: Finding(
        check="domain",
        outcome=Outcome.FAIL,
        status=EntryStatus.DOMAIN_HAS_NULL_MX,
        rule="domain.null_mx",
    ),
    MxOutcome.NO_DOMAIN: Finding(
        check="domain",
        outcome=Outcome.FAIL,
        status=EntryStatus.DOMAIN_DOES_NOT_EXIST,
        rule="domain.nxdomain",
    ),
    MxOutcome.NO_MAIL: Finding(
        check="domain",
        outcome=Outcome.FAIL,
        status=EntryStatus.DOMAIN_IS_MISCONFIGURED,
        rule="domain.no_exchanger",
    ),
    MxOutcome.UNROUTABLE: Finding(
        check="domain",
        outcome=Outcome.FAIL,
        status=EntryStatus.DOMAIN_IS_MISCONFIGURED,
        rule="domain.reserved_addresses",
    ),
    # SERVFAIL, REFUSED and silence say nothing about the domain (golden rule 3).
    MxOutcome.SERVER_FAILURE: Finding(
        check="domain",
        outcome=Outcome.TEMPERROR,
        status=EntryStatus.DNS_CONNECTION_FAILURE,
        rule="domain.dns_failure",
        retry=True,
    ),
    MxOutcome.TIMEOUT: Finding(
        check="domain",
        outcome=Outcome.TEMPERROR,
        status=EntryStatus.DNS_QUERY_TIMEOUT,
        rule="domain.dns_timeout",
        retry=True,
    ),
}


def check_domain(answer: MxAnswer) -> Finding:
    """Judge whether mail for the domain can be routed at all (RFC 5321 5.1, RFC 7505)."""
    return _FINDINGS[answer.outcome]
