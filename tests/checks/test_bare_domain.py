"""What a made-up mailbox tells about a bare domain."""

import pytest

from mailvet.checks.bare_domain import check_bare_domain, takes_any_mailbox
from mailvet.model.reply import Observation, Reading, Reply, Stage, Trouble
from mailvet.model.status import EntryStatus, Fact, Meaning


def _seen(code: int, stage: Stage = Stage.RCPT) -> Observation:
    return Observation(stage, "mx.test", "192.0.2.1", Reply(code, "words"), None)


@pytest.mark.parametrize(
    ("code", "meaning", "status", "fact"),
    [
        (550, Meaning.MAILBOX_DOES_NOT_EXIST, EntryStatus.SUCCESS, Fact.NO),
        (550, Meaning.MAILBOX_DISABLED, EntryStatus.SUCCESS, Fact.NO),
        (550, Meaning.UNKNOWN, EntryStatus.SMTP_DIALOG_ERROR, Fact.INCONCLUSIVE),
        (552, Meaning.MAILBOX_FULL, EntryStatus.SMTP_DIALOG_ERROR, Fact.INCONCLUSIVE),
        (550, Meaning.RELAY_DENIED, EntryStatus.RELAY_DENIED, Fact.INCONCLUSIVE),
        (550, Meaning.DOMAIN_NOT_ACCEPTED, EntryStatus.DOMAIN_IS_MISCONFIGURED, Fact.INCONCLUSIVE),
        (
            550,
            Meaning.SENDER_OR_CLIENT_REJECTED,
            EntryStatus.LOCAL_END_POINT_REJECTED,
            Fact.INCONCLUSIVE,
        ),
        (
            450,
            Meaning.MAILBOX_DOES_NOT_EXIST,
            EntryStatus.MAILBOX_TEMPORARILY_UNAVAILABLE,
            Fact.INCONCLUSIVE,
        ),
    ],
)
def test_only_words_about_the_mailbox_prove_that_the_domain_takes_mail(
    code: int, meaning: Meaning, status: EntryStatus, fact: Fact
) -> None:
    """A host that knows which mailboxes there are serves the domain; weak words are UNKNOWN."""
    seen, reading = _seen(code), Reading(meaning, "a.rule")

    assert status is check_bare_domain(seen, reading).status
    assert fact is takes_any_mailbox(seen, reading)


def test_a_host_that_takes_a_made_up_mailbox_takes_any() -> None:
    """The domain takes mail, and is a risk."""
    assert EntryStatus.SERVER_IS_CATCH_ALL is check_bare_domain(_seen(250), None).status
    assert Fact.YES is takes_any_mailbox(_seen(250), None)


def test_a_refusal_before_the_mailbox_says_nothing_about_the_domain() -> None:
    """Whatever its words are read as: no mailbox was named yet."""
    seen, reading = _seen(550, Stage.BANNER), Reading(Meaning.MAILBOX_DOES_NOT_EXIST, "a.rule")

    assert EntryStatus.LOCAL_END_POINT_REJECTED is check_bare_domain(seen, reading).status
    assert Fact.INCONCLUSIVE is takes_any_mailbox(seen, reading)


def test_silence_says_nothing() -> None:
    """A connection that drops is no word."""
    seen = Observation(Stage.RCPT, "mx.test", "192.0.2.1", None, Trouble.DROPPED)

    assert EntryStatus.SMTP_DIALOG_ERROR is check_bare_domain(seen, None).status
    assert Fact.INCONCLUSIVE is takes_any_mailbox(seen, None)
