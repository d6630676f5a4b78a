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


_DENIED = Finding(
    check="domain",
    outcome=Outcome.TEMPERROR,
    status=EntryStatus.DNS_CONNECTION_FAILURE,
    rule="domain.great_provider_denied",
    retry=True,
)


def check_domain(answer: MxAnswer, *, is_great: bool = False) -> Finding:
    """Judge whether mail for the domain can be routed at all (RFC 5321 5.1, RFC 7505).

    `is_great` says that it is one of the great mail providers: a name server that denies those
    (a captive portal, a closed network) tells about itself, not about the domain.
    """
    if is_great and answer.outcome in (MxOutcome.NO_DOMAIN, MxOutcome.NO_MAIL):
        return _DENIED
    return _FINDINGS[answer.outcome]
