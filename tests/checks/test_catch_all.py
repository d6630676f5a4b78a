"""What a made-up mailbox tells about its domain."""

import pytest

from mailvet.checks.catch_all import check_catch_all, judge_catch_all
from mailvet.model.reply import Observation, Reading, Reply, Stage, Trouble
from mailvet.model.status import EntryStatus, Fact, Meaning


def _seen(code: int) -> Observation:
    return Observation(Stage.RCPT, "mx.test", "192.0.2.1", Reply(code, "words"), None)


def test_an_accepted_made_up_mailbox_means_catch_all() -> None:
    """A host that accepts a mailbox nobody has accepts all of them."""
    assert Fact.YES is judge_catch_all(_seen(250), None)


@pytest.mark.parametrize(
    ("code", "meaning", "fact"),
    [
        (550, Meaning.MAILBOX_DOES_NOT_EXIST, Fact.NO),
        (550, Meaning.UNKNOWN, Fact.NO),
        (550, Meaning.SENDER_OR_CLIENT_REJECTED, Fact.INCONCLUSIVE),
        (550, Meaning.RATE_LIMITED, Fact.INCONCLUSIVE),
        (450, Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE, Fact.INCONCLUSIVE),
        (452, Meaning.UNKNOWN, Fact.INCONCLUSIVE),
        (421, Meaning.SERVER_TEMPORARILY_UNAVAILABLE, Fact.INCONCLUSIVE),
    ],
)
def test_only_a_refusal_of_the_mailbox_itself_rules_catch_all_out(
    code: int, meaning: Meaning, fact: Fact
) -> None:
    """Golden rule 6: a probe that was refused for policy, rate or time proves nothing."""
    assert fact is judge_catch_all(_seen(code), Reading(meaning, "a.rule"))


def test_a_dropped_probe_proves_nothing() -> None:
    """Golden rule 5: what happens to the second recipient says nothing certain."""
    seen = Observation(Stage.RCPT, "mx.test", "192.0.2.1", None, Trouble.DROPPED)
    assert Fact.INCONCLUSIVE is judge_catch_all(seen, None)


@pytest.mark.parametrize(
    ("fact", "trouble", "status"),
    [
        (Fact.NO, None, None),
        (Fact.YES, None, EntryStatus.SERVER_IS_CATCH_ALL),
        (Fact.INCONCLUSIVE, None, EntryStatus.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS),
        (Fact.INCONCLUSIVE, Trouble.TIMEOUT, EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT),
        (
            Fact.INCONCLUSIVE,
            Trouble.DROPPED,
            EntryStatus.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS,
        ),
        (Fact.NOT_LOOKED_AT, None, EntryStatus.SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS),
    ],
)
def test_an_accepted_mailbox_is_tempered_by_what_is_known_of_catch_all(
    fact: Fact, trouble: Trouble | None, status: EntryStatus | None
) -> None:
    """Golden rule 6: catch-all is yes, no or not to be told, and each has its own status."""
    reply = None if trouble else Reply(450, "later")
    seen = Observation(Stage.RCPT, "mx.test", "192.0.2.1", reply, trouble)
    assert status == check_catch_all(fact, seen).status
