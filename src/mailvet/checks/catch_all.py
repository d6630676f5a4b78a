"""What the answer to a made-up mailbox says about its domain: yes, no, or not to be told."""

from mailvet.model.finding import Finding, Outcome
from mailvet.model.reply import Observation, Reading, Trouble
from mailvet.model.status import EntryStatus, Fact, Meaning

_ABOUT_US = frozenset(
    {
        Meaning.SENDER_OR_CLIENT_REJECTED,
        Meaning.RATE_LIMITED,
        Meaning.SERVER_TEMPORARILY_UNAVAILABLE,
        Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE,
    }
)


def judge_catch_all(seen: Observation, reading: Reading | None) -> Fact:
    """Tell whether the domain accepts made-up mailboxes, from what was said about one.

    A probe that was itself refused for policy, rate or time proves nothing (golden rule 6). A
    permanent refusal without any word about us counts as "no": the same host, in the same
    session, accepted a real mailbox just before.
    """
    if seen.trouble is not None or seen.reply is None:
        return Fact.INCONCLUSIVE
    if seen.reply.positive:
        return Fact.YES
    if seen.reply.transient or reading is None or reading.meaning in _ABOUT_US:
        return Fact.INCONCLUSIVE
    return Fact.NO


def check_catch_all(fact: Fact, seen: Observation | None) -> Finding:
    """Judge an accepted mailbox by what is known of its domain's catch-all."""
    if fact is Fact.NO:
        return Finding(check="catch_all", outcome=Outcome.PASS, rule="catch_all.no")
    if fact is Fact.YES:
        return Finding(
            check="catch_all",
            outcome=Outcome.FAIL,
            status=EntryStatus.SERVER_IS_CATCH_ALL,
            rule="catch_all.yes",
        )
    if seen is not None and seen.trouble is Trouble.TIMEOUT:
        return Finding(
            check="catch_all",
            outcome=Outcome.TEMPERROR,
            status=EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT,
            rule="catch_all.timeout",
            retry=True,
        )
    return Finding(
        check="catch_all",
        outcome=Outcome.TEMPERROR,
        status=EntryStatus.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS,
        rule="catch_all.not_testable",
    )
