"""What the answer to a made-up mailbox says about a bare domain: whether it takes mail at all.

Nobody was accepted before it in the session, so a refusal proves that the domain knows its
mailboxes only when it speaks of the mailbox. Any other refusal is judged as that of an address.
"""

from mailvet.checks.mailbox import check_mailbox
from mailvet.model.finding import Finding, Outcome
from mailvet.model.reply import Observation, Reading, Stage
from mailvet.model.status import EntryStatus, Fact, Meaning

_OF_THE_MAILBOX = frozenset({Meaning.MAILBOX_DOES_NOT_EXIST, Meaning.MAILBOX_DISABLED})


def takes_any_mailbox(seen: Observation, reading: Reading | None) -> Fact:
    """Tell whether the domain accepts a mailbox that nobody has."""
    if seen.trouble is not None or seen.reply is None:
        return Fact.INCONCLUSIVE
    if seen.reply.positive:
        return Fact.YES
    if seen.stage is not Stage.RCPT or seen.reply.transient or reading is None:
        return Fact.INCONCLUSIVE
    return Fact.NO if reading.meaning in _OF_THE_MAILBOX else Fact.INCONCLUSIVE


def check_bare_domain(seen: Observation, reading: Reading | None) -> Finding:
    """Judge a domain by what its exchanger said about a made-up mailbox."""
    fact = takes_any_mailbox(seen, reading)
    if fact is Fact.NO:
        return Finding(
            check="bare_domain",
            outcome=Outcome.PASS,
            status=EntryStatus.SUCCESS,
            rule="bare_domain.refuses_made_up",
        )
    if fact is Fact.YES:
        return Finding(
            check="bare_domain",
            outcome=Outcome.FAIL,
            status=EntryStatus.SERVER_IS_CATCH_ALL,
            rule="bare_domain.accepts_made_up",
        )
    finding = check_mailbox(seen, reading)
    if finding.status is not EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE:
        return finding
    return Finding(  # nobody's mailbox is full
        check="bare_domain",
        outcome=Outcome.TEMPERROR,
        status=EntryStatus.SMTP_DIALOG_ERROR,
        rule=finding.rule,
    )
