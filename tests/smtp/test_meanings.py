"""Tests of what SMTP replies mean."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.reply import Reading, Reply, Stage
from mailvet.model.status import Meaning
from mailvet.smtp.meanings import meaning_of, read
from tests.cases import names, rows

FINAL = {
    Meaning.MAILBOX_DOES_NOT_EXIST,
    Meaning.MAILBOX_DISABLED,
    Meaning.DOMAIN_NOT_ACCEPTED,
}
WORDS = st.sampled_from(
    [
        *[
            "user",
            "mailbox",
            "<a@example.org>",
            "sender",
            "client",
            "domain",
            "[192.0.2.1]",
            "host",
        ],
        *["unknown", "does not exist", "disabled", "full", "blocked", "rejected", "later", "spam"],
        *[
            "too many",
            "relay",
            "said: 550 ",
            "not",
            "or",
            "5.1.1",
            "4.2.2",
            ".",
            ";",
            "Größe",
            "不存在",
        ],
    ]
)
TEXTS = st.one_of(st.text(), st.lists(WORDS).map(" ".join))
CODES = st.integers(min_value=400, max_value=599)


def said(code: int, text: str) -> Meaning:
    return read(code, None, text).meaning


@pytest.mark.parametrize("case", rows("replies"), ids=names("replies"))
def test_reply_means(case: dict[str, Any]) -> None:
    """A reply is read as its source explains it."""
    assert said(case["code"], case["text"]).value in {case["meaning"], *case.get("also", [])}


@pytest.mark.parametrize(
    "trimmed",
    [
        "{} (in reply to RCPT TO command)",
        "{} [mx7.example.org]",
        "{} [192.0.2.77]",
        "{} a640c23a62f3a-b1234567si12.34 - gsmtp",
        "{}. For more information see https://help.example.org/errors",
        "mx7.example.org {}",
        "E1kX2a-0003Ab-7R {}",
        "smtp; 550 {}",
        "Remote server returned: {}",
        'Sorry, "{}"! Please contact your administrator.',
    ],
)
def test_trimmings_change_nothing(trimmed: str) -> None:
    """What hosts put around their answer leaves its meaning as it is."""
    for case in rows("replies"):
        meaning = said(case["code"], trimmed.format(case["text"]))
        assert meaning.value in {case["meaning"], *case.get("also", [])}, case["text"]


@given(CODES, st.one_of(st.none(), st.text()), TEXTS, st.sampled_from(Stage))
def test_any_input_is_read(code: int, enhanced: str | None, text: str, stage: Stage) -> None:
    """Whatever a host says, there is a reading with a rule."""
    assert read(code, enhanced, text, stage=stage).rule


@given(st.integers(min_value=400, max_value=499), TEXTS)
def test_transient_is_never_final(code: int, text: str) -> None:
    """A 4xx never says for good that a mailbox or a domain is dead."""
    assert said(code, text) not in FINAL


@given(CODES, TEXTS)
def test_reading_is_deterministic(code: int, text: str) -> None:
    """The same reply always gets the same reading."""
    assert read(code, None, text) == read(code, None, text)


@given(TEXTS)
def test_only_rcpt_speaks_of_mailboxes(text: str) -> None:
    """Before a recipient was named, no reply can be final about one."""
    assert read(550, None, text, stage=Stage.EHLO).meaning not in FINAL


def test_mail_stage_blames_our_sender() -> None:
    """An unknown user at MAIL FROM is our sender."""
    expected = Reading(Meaning.SENDER_OR_CLIENT_REJECTED, "box.absent", about_sender=True)
    assert expected == read(550, "5.1.1", "User unknown", stage=Stage.MAIL)


def test_reply_value() -> None:
    """A Reply is read by its code, its enhanced code and its text."""
    assert meaning_of(Reply(550, "No such user")).meaning is Meaning.MAILBOX_DOES_NOT_EXIST


@pytest.mark.parametrize(
    ("enhanced", "meaning"),
    [
        ("5.1.1", Meaning.MAILBOX_DOES_NOT_EXIST),
        ("5.1.2", Meaning.DOMAIN_NOT_ACCEPTED),
        ("5.1.8", Meaning.SENDER_OR_CLIENT_REJECTED),
        ("5.2.1", Meaning.MAILBOX_DISABLED),
        ("5.2.2", Meaning.MAILBOX_FULL),
        ("5.7.1", Meaning.SENDER_OR_CLIENT_REJECTED),
        ("5.0.0", Meaning.UNKNOWN),
        ("nonsense", Meaning.UNKNOWN),
    ],
)
def test_enhanced_code_without_words(enhanced: str, meaning: Meaning) -> None:
    """Without telling words the enhanced code speaks (RFC 3463)."""
    assert meaning is read(550, enhanced, "no").meaning


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (421, Meaning.SERVER_TEMPORARILY_UNAVAILABLE),
        (450, Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE),
        (452, Meaning.SERVER_TEMPORARILY_UNAVAILABLE),
        (499, Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE),
        (535, Meaning.SENDER_OR_CLIENT_REJECTED),
        (552, Meaning.MAILBOX_FULL),
        (550, Meaning.UNKNOWN),
        (554, Meaning.UNKNOWN),
    ],
)
def test_basic_code_alone(code: int, meaning: Meaning) -> None:
    """Without words and enhanced code, the basic code speaks, and a bare 5xx says nothing."""
    assert meaning is said(code, "")


@pytest.mark.parametrize(
    ("text", "about_sender"),
    [
        ("Sender address rejected: Domain not found", True),
        ("SPF check failed", True),
        ("Client host [192.0.2.10] blocked using bl.example", False),
        ("Your IP address has been blocked", False),
    ],
)
def test_whose_refusal(text: str, about_sender: bool) -> None:
    """A refusal of us tells our sender from our host."""
    expected = (Meaning.SENDER_OR_CLIENT_REJECTED, about_sender)
    reading = read(554, None, text)
    assert expected == (reading.meaning, reading.about_sender)


def test_addresses_are_not_words() -> None:
    """Words inside addresses, hosts and links mean nothing."""
    text = (
        "<spam.full@blocked.example>: disabled-user@unknown.example http://x.example/unknown-user"
    )
    assert said(550, text) is Meaning.UNKNOWN


def test_block_list_is_known_by_its_host() -> None:
    """The name of a block list counts even where it is only a host name."""
    assert said(550, "see https://www.spamhaus.org/query") is Meaning.SENDER_OR_CLIENT_REJECTED


def test_quoted_reply_decides() -> None:
    """A call-out's report means what the other host said."""
    text = "undeliverable address: host mx.example.org[192.0.2.1] said: 550 5.2.1 mailbox disabled"
    assert Reading(Meaning.MAILBOX_DISABLED, "callout.box.disabled") == read(550, None, text)


def test_quoted_transient_is_not_final() -> None:
    """A call-out that got a 4xx knows nothing for good, whatever code wraps it."""
    text = "unverified address: host mx.example.org said: 450 4.1.1 user unknown"
    assert said(550, text) is Meaning.MAILBOX_TEMPORARILY_UNAVAILABLE


def test_long_texts_are_cut() -> None:
    """What stands behind the first few kilobytes is not read."""
    assert said(550, "x " * 32_768 + "user unknown") is Meaning.UNKNOWN


@pytest.mark.parametrize(
    "piece", ["a", "a.", "<", "@", "a@", "1.", "-", "not ", "http://", "said: "]
)
def test_no_text_is_slow(piece: str) -> None:
    """Reading time grows with the length only: 64 KiB of anything take well under a second."""
    started = time.thread_time()
    read(550, None, piece * (65_536 // len(piece)))
    assert time.thread_time() - started < 0.5
