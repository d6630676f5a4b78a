"""From a case to its findings, and from them to the result callers read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mailvet.checks.bare_domain import check_bare_domain, takes_any_mailbox
from mailvet.checks.catch_all import check_catch_all
from mailvet.checks.domain import check_domain
from mailvet.checks.mailbox import check_mailbox
from mailvet.checks.membership import check_membership
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.explain import explain
from mailvet.model.finding import Finding, Outcome
from mailvet.model.reply import Observation, Reading, Stage, Trouble
from mailvet.model.result import Evidence, ListHit, Result, SmtpEvidence
from mailvet.model.route import MxOutcome
from mailvet.model.status import EntryStatus, Fact, LocalPartType, ProviderType
from mailvet.syntax import canonical, spelling_warnings, suggest_form, tag_of
from mailvet.verdict import Verdict, Weights, conclude

Suggest = Callable[[str, str], tuple[str, ...]]

_DUPLICATE = Finding(
    check="duplicates", outcome=Outcome.FAIL, status=EntryStatus.DUPLICATE, rule="duplicate"
)
_ACCEPTED = frozenset(
    {
        EntryStatus.SUCCESS,
        EntryStatus.SERVER_IS_CATCH_ALL,
        EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT,
        EntryStatus.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS,
    }
)
_WITHHELD = frozenset({EntryStatus.DOMAIN_OPTED_OUT, EntryStatus.UNKNOWN_USER_LIMIT})
"""Not asked on purpose: asking soon again would be the same."""
MAX_EVIDENCE_TEXT = 512
"""Characters of a reply that are kept (a reply may be 32 KiB, its sense is in the first lines)."""


def find(case: Case) -> list[Finding]:
    """Return every finding about a case, in the order syntax, domain, lists, mailbox, catch-all."""
    if case.ruling is not None:
        return [case.ruling.finding]
    if case.duplicate_of is not None:
        return [_DUPLICATE]
    if case.fault is not None:
        return [
            Finding(
                check="syntax",
                outcome=Outcome.FAIL,
                status=case.fault.status,
                rule=f"syntax.{case.fault.status.name.lower()}",
            )
        ]
    findings = []
    card = case.card
    if card is not None and card.answer is not None:
        findings.append(check_domain(card.answer, is_great=card.is_great))
    if case.membership is not None:
        findings += check_membership(case.membership, card.operator if card else None)
    if case.forced is not None:
        findings.append(
            Finding(
                check="engine",
                outcome=Outcome.TEMPERROR,
                status=case.forced,
                rule=f"engine.{case.forced.name.lower()}",
                retry=case.forced not in _WITHHELD,
            )
        )
    elif case.seen is not None:
        findings += _find_in_dialogue(case, case.seen)
    return findings


def _find_in_dialogue(case: Case, seen: Observation) -> list[Finding]:
    if case.is_domain:
        return [check_bare_domain(seen, case.reading)]
    mailbox = check_mailbox(seen, case.reading)
    if mailbox.outcome is not Outcome.PASS or mailbox.status is not EntryStatus.SUCCESS:
        return [mailbox]
    card = case.card
    assert card is not None
    return [mailbox, check_catch_all(card.catch_all, card.catch_all_seen)]


def may_change(findings: list[Finding], verdict: Verdict) -> bool:
    """Whether trying later may change the verdict: the finding that won asks for it."""
    return any(finding.retry and finding.status is verdict.status for finding in findings)


def verdict_of(case: Case, findings: list[Finding], weights: Weights | None = None) -> Verdict:
    """Conclude a case, as its caller's scheme has it; no weights are the default ones."""
    scheme = case.policy.scheme if case.policy is not None else None
    return conclude(findings, _traits(case), weights, scheme)


def result_of(
    case: Case,
    findings: list[Finding],
    verdict: Verdict,
    *,
    now: float,
    suggest: Suggest,
) -> Result:
    """Return the result callers read; `now` is seconds since the epoch."""
    card, address, membership = case.card, case.address, case.membership
    answered = card is not None and card.answer is not None
    names = _names(case)
    return Result(
        index=case.entry_index,
        input_data=case.input_data,
        custom=case.custom,
        status=verdict.status,
        classification=verdict.classification,
        risk_score=verdict.risk_score,
        email_address=names.email,
        category=verdict.category,
        duplicate_of=case.duplicate_of if case.ruling is None else None,
        complete_time=now if case.remembered_at is None else case.remembered_at,
        suggestions=suggestions_of(case, suggest),
        syntax_failure_index=case.fault.index if case.fault else None,
        explanation=explain(case, verdict.status),
        custom_classification=verdict.custom_classification,
        local_part=names.local_part,
        domain=address.domain.unicode if address else "",
        ascii_domain=address.domain.ascii if address else "",
        canonical=names.canonical,
        tag=names.tag,
        has_international_mailbox_name=address.needs_smtputf8 if address else False,
        has_international_domain_name=(
            address.domain.ascii != address.domain.unicode if address else False
        ),
        provider_type=membership.provider_type if membership else ProviderType.UNSPECIFIED,
        mail_provider=card.operator.name if card and card.operator else "",
        mx_hosts=card.answer.hosts if card and card.answer else (),
        mx_valid=_mx_valid(card) if answered else Fact.NOT_LOOKED_AT,
        is_disposable=membership.is_disposable if membership else False,
        is_free=membership.is_free if membership else False,
        is_masked=membership.is_masked if membership else False,
        local_part_type=(
            membership.local_part_type
            if membership and names.local_part
            else LocalPartType.UNSPECIFIED
        ),
        is_role_account=membership.is_role_account if membership else False,
        can_connect=_can_connect(case.seen),
        is_deliverable=_is_deliverable(case, verdict.status),
        is_catch_all=_is_catch_all(case),
        has_full_inbox=_is(verdict.status, EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE, case),
        is_disabled=_is(verdict.status, EntryStatus.MAILBOX_IS_DISABLED, case),
        risk_points=verdict.risk_points,
        attempts=case.attempt + (1 if case.visits else 0),
        quality=case.quality,
        warnings=spelling_warnings(address) if address and not case.is_domain else (),
        from_cache=case.remembered_at is not None,
        cache_age=None if case.remembered_at is None else max(0.0, now - case.remembered_at),
        evidence=_evidence(case, findings),
    )


class _Names(NamedTuple):
    """What names a mailbox."""

    email: str = ""
    local_part: str = ""
    canonical: str = ""
    tag: str = ""


def _names(case: Case) -> _Names:
    address = case.address
    if address is None:
        return _Names()
    if case.is_domain:
        return _Names(canonical=address.domain.ascii)
    return _Names(address.email, address.local_part, canonical(address), tag_of(address))


@dataclass(frozen=True, slots=True)
class Judge:
    """Concludes cases with what an operator has set."""

    suggest: Suggest
    weights: Weights | None = None
    """Of the risk points; None for the default ones."""

    def verdict(self, case: Case, findings: list[Finding]) -> Verdict:
        """Conclude a case."""
        return verdict_of(case, findings, self.weights)

    def result(
        self, case: Case, findings: list[Finding], verdict: Verdict, *, now: float
    ) -> Result:
        """Return the result callers read; `now` is seconds since the epoch."""
        return result_of(case, findings, verdict, now=now, suggest=self.suggest)


def fault_of(case: Case, now: float) -> Result:
    """Return the result of a case that could not be concluded for a fault of ours."""
    verdict = conclude([])
    return Result(
        index=case.entry_index,
        input_data=case.input_data,
        custom=case.custom,
        status=verdict.status,
        classification=verdict.classification,
        risk_score=verdict.risk_score,
        category=verdict.category,
        complete_time=now,
        explanation=explain(case, verdict.status),
        quality=case.quality,
    )


def _traits(case: Case) -> list[str]:
    membership = case.membership
    if membership is None:
        return []
    traits = []
    if membership.is_disposable:
        traits.append("disposable")
    if membership.is_free:
        traits.append("free")
    if membership.is_masked:
        traits.append("masked")
    if membership.is_role_account:
        traits.append("role")
    if membership.local_part_type is LocalPartType.NUMERICAL:
        traits.append("numerical")
    return traits


def suggestions_of(case: Case, suggest: Suggest) -> tuple[str, ...]:
    """Return the addresses that were probably meant."""
    if case.is_domain:
        assert case.address is not None
        meant = suggest(case.address.local_part, case.address.domain.ascii)
        return tuple(one.rpartition("@")[2] for one in meant)
    if case.address is not None:
        return suggest(case.address.local_part, case.address.domain.ascii)
    form = suggest_form(case.input_data) if case.fault is not None else None
    return (form,) if form else ()


def _mx_valid(card: DomainCard | None) -> Fact:
    assert card is not None
    assert card.answer is not None
    outcome = card.answer.outcome
    if outcome in (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT):
        return Fact.YES
    if outcome in (MxOutcome.SERVER_FAILURE, MxOutcome.TIMEOUT):
        return Fact.INCONCLUSIVE
    return Fact.NO


def _can_connect(seen: Observation | None) -> Fact:
    if seen is None or seen.trouble is Trouble.NO_SMTPUTF8:
        return Fact.NOT_LOOKED_AT if seen is None else Fact.YES
    if seen.trouble is not None and seen.stage in (Stage.CONNECT, Stage.BANNER):
        return Fact.NO
    return Fact.YES


def _is_deliverable(case: Case, status: EntryStatus) -> Fact:
    if case.is_domain and status in _ACCEPTED:
        return Fact.NOT_LOOKED_AT  # no mailbox was named
    if status in _ACCEPTED:
        return Fact.YES
    if EntryStatus.MAILBOX_DOES_NOT_EXIST <= status <= EntryStatus.ISP_SPECIFIC_SYNTAX_FAILURE:
        return Fact.NO
    if status is EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE:
        return Fact.NO
    return Fact.NOT_LOOKED_AT if status < EntryStatus.DNS_QUERY_TIMEOUT else Fact.INCONCLUSIVE


def _is_catch_all(case: Case) -> Fact:
    if case.card is None or case.seen is None:
        return Fact.NOT_LOOKED_AT
    if case.is_domain:
        return takes_any_mailbox(case.seen, case.reading)
    return case.card.catch_all


def _is(status: EntryStatus, wanted: EntryStatus, case: Case) -> Fact:
    """A fact that only the exchanger's words about this mailbox can establish."""
    if status is wanted:
        return Fact.YES
    if status in _ACCEPTED and case.seen is not None and not case.is_domain:
        return Fact.NO
    return Fact.NOT_LOOKED_AT


def _evidence(case: Case, findings: list[Finding]) -> Evidence:
    card, membership = case.card, case.membership
    mailbox: SmtpEvidence | None = smtp_evidence(case.seen, case.reading)
    made_up: SmtpEvidence | None = None
    if case.is_domain:
        made_up = mailbox
        mailbox = None
    elif card and case.seen:
        made_up = smtp_evidence(card.catch_all_seen, card.catch_all_reading)
    return Evidence(
        dns_records=card.answer.records if card and card.answer else (),
        mailbox=mailbox,
        made_up_mailbox=made_up,
        list_hits=tuple(
            ListHit(hit.list, hit.row, hit.source, hit.date)
            for hit in (membership.hits if membership else ())
        ),
        findings=tuple(
            f"{finding.check} {finding.outcome} {finding.rule}".rstrip() for finding in findings
        ),
    )


def smtp_evidence(seen: Observation | None, reading: Reading | None) -> SmtpEvidence | None:
    """Return an observation in the words that are shown."""
    if seen is None:
        return None
    reply = seen.reply
    return SmtpEvidence(
        stage=seen.stage,
        host=seen.host,
        address=seen.address,
        code=reply.code if reply else 0,
        enhanced_code=(reply.enhanced or "") if reply else "",
        text=reply.text[:MAX_EVIDENCE_TEXT] if reply else "",
        trouble=seen.trouble or "",
        meaning=reading.meaning if reading else "",
        rule=reading.rule if reading else "",
    )
