"""What is an address, what is not and why, and that no text can hurt."""

import re
import time
from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailvet.model.address import Address, SyntaxFault
from mailvet.model.status import Classification, EntryStatus, classification_of
from mailvet.syntax import parse
from mailvet.syntax.parser import parse_fully
from tests.syntax.cases import table

CASES = table("syntax")


def fault_of(text: str) -> tuple[str, int]:
    """The status name and index of a text that must be refused."""
    found = parse(text)
    assert isinstance(found, SyntaxFault), text
    return found.status.name, found.index


def is_address(text: str) -> bool:
    """Whether the text is accepted."""
    return isinstance(parse(text), Address)


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["text"])
def test_accepted(case: dict[str, Any]) -> None:
    """A valid mailbox is taken apart: local part as typed, domain in both spellings."""
    found = parse(case["text"])
    assert isinstance(found, Address), found
    expected = (case["local_part"], case["ascii"], case.get("unicode", case["ascii"]))
    assert expected == (found.local_part, found.domain.ascii, found.domain.unicode)
    assert case["ascii"].startswith("[") == found.domain.is_literal


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: repr(case["text"]))
def test_refused(case: dict[str, Any]) -> None:
    """A text that is no mailbox has a status of its own and the index of its first fault."""
    assert (case["status"], case["index"]) == fault_of(case["text"])


@pytest.mark.parametrize("letter", ["a", "é", "語", "😀"])
def test_local_part_length_counts_octets(letter: str) -> None:
    """A local part of 64 octets in UTF-8 is accepted, the character beyond is the fault."""
    most = 64 // len(letter.encode())
    assert is_address(letter * most + "@example.org")
    fault = ("INVALID_LOCAL_PART_LENGTH", most)
    assert fault == fault_of(letter * (most + 1) + "@example.org")


def test_quotes_count() -> None:
    """The quotes of a local part are two of its 64 octets."""
    assert is_address('"' + "a" * 62 + '"@example.org')
    assert ("INVALID_LOCAL_PART_LENGTH", 64) == fault_of('"' + "a" * 63 + '"@example.org')


def test_label_length() -> None:
    """A label has at most 63 octets, international ones as A-labels."""
    assert is_address("a@" + "b" * 63 + ".org")
    assert ("DOMAIN_PART_COMPLIANCY_FAILURE", 65) == fault_of("a@" + "b" * 64 + ".org")
    assert ("DOMAIN_PART_COMPLIANCY_FAILURE", 2) == fault_of("a@" + "bé" * 31 + ".org")


def test_address_length() -> None:
    """An address of 254 octets is accepted, one more is too long."""
    start = "l" * 64 + "@" + "d" * 63 + "." + "d" * 63 + "."
    assert is_address(start + "d" * 57 + ".org")
    assert ("INVALID_ADDRESS_LENGTH", 254) == fault_of(start + "d" * 58 + ".org")


def test_domain_length() -> None:
    """A domain of more than 253 octets is the domain's own fault."""
    domain = ".".join(["d" * 63] * 3 + ["d" * 58, "org"])
    assert 254 == len(domain)
    assert "DOMAIN_PART_COMPLIANCY_FAILURE" == fault_of("a@" + domain)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann Lee <ann@example.org>", "display name"),
        ("<ann@example.org>", "angle brackets"),
        ("MAILTO:ann@example.org", "mailto"),
    ],
)
def test_other_forms_are_named(text: str, words: str) -> None:
    """The reason of a fault names the form that the address was written in."""
    found = parse(text)
    assert isinstance(found, SyntaxFault)
    assert words in found.reason


MARKS = '@."\\()<>[]:;, \t\r\n\0\x7f\u0085-_+ab1é語\u0308\u200d\u200b\u3002\uff0e\u00ad\ud800ß߷א'
TEXTS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet=MARKS, max_size=80),
    st.builds("{}@{}".format, st.text(alphabet=MARKS, max_size=30), st.text(max_size=30)),
    st.builds("a@{}.{}".format, st.text(max_size=20), st.text(max_size=20)),
    st.builds("a@xn--{}.org".format, st.text(alphabet="abz019-", max_size=20)),
    st.builds("a@[IPv6:{}]".format, st.text(alphabet="0123:.f%", max_size=30)),
    st.builds("{}@example.org".format, st.text(alphabet=MARKS, max_size=12)),
    st.builds("{}@[IPv6:::1]".format, st.text(alphabet="a.<: é", max_size=5)),
    st.from_regex(r"[a-z.+]{1,20}@[a-z0-9.-]{1,40}\.[a-z0-9]{1,5}", fullmatch=True),
)


@given(TEXTS)
@example("a@b--é.xn--bcher-kva.org")
def test_every_text_has_an_answer(text: str) -> None:
    """No text raises; a fault has an undeliverable status, an index inside and a reason."""
    found = parse(text)
    if isinstance(found, SyntaxFault):
        assert Classification.UNDELIVERABLE is classification_of(found.status)
        assert 0 <= found.index <= len(text)
        assert re.fullmatch(r"[A-Z].*\.", found.reason)


@given(TEXTS)
def test_short_way_changes_nothing(text: str) -> None:
    """The short way for plain addresses gives what the full parser gives, known domain or not."""
    full = parse_fully(text)
    assert full == parse(text)
    assert full == parse(text)


@given(TEXTS)
def test_accepted_is_safe_to_send(text: str) -> None:
    """What is accepted cannot break out of the angle brackets of an SMTP command."""
    found = parse(text)
    if isinstance(found, SyntaxFault):
        return
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", found.mailbox)
    assert re.fullmatch(r'"(?:[^"\\]|\\.)+"|[^\s<>()\[\]:;@\\,"]+', found.local_part)
    assert re.fullmatch(r"[a-z0-9.-]+|\[[IPv0-9a-f.:]+\]", found.domain.ascii)
    assert len(found.mailbox.encode("utf-8")) <= 254


@given(TEXTS)
def test_clean_form_is_stable(text: str) -> None:
    """The clean address and the mailbox as sent are accepted again and mean the same."""
    found = parse(text)
    if isinstance(found, SyntaxFault):
        return
    assert found == parse(found.email) == parse(found.mailbox)


LOCAL_PARTS = st.text(alphabet="abzAZ09.+-_'!#$%&*/=?^`{|}~ ,;:()<>[]\\", max_size=70)
LABELS = st.text(alphabet="abzAZ09-_!", max_size=66)
PLAIN = st.builds(
    "{}@{}.{}".format,
    LOCAL_PARTS | st.from_regex(r"[a-z]{1,9}(\.[a-z0-9]{1,9}){0,7}", fullmatch=True),
    st.lists(LABELS | st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True), min_size=1, max_size=5).map(
        ".".join
    ),
    st.sampled_from(["com", "org", "de", "museum"]),
)


@given(PLAIN)
def test_second_opinion(text: str) -> None:
    """On plain forms an independent library has the same opinion."""
    # Reserved labels (RFC 5890 2.3.1) are ours to accept; ends are trimmed by us only.
    assume(not re.search(r"[@.]..--", text) and text == text.strip())
    try:
        validate_email(text, check_deliverability=False, strict=True)
        expected = True
    except EmailNotValidError:
        expected = False
    assert expected == is_address(text)


INTERNATIONAL = st.builds(
    "{}@{}.org".format,
    st.just("ann"),
    st.text(alphabet="aéßñ語日あא中к\u0308-1", min_size=1, max_size=12),
)


@given(INTERNATIONAL)
def test_second_opinion_on_international_domains(text: str) -> None:
    """On international domains an independent library has the same opinion and A-labels."""
    assume(not re.search(r"@..--", text))
    found = parse(text)
    try:
        expected = validate_email(text, check_deliverability=False, strict=True).ascii_domain
    except EmailNotValidError:
        assert isinstance(found, SyntaxFault)
        return
    assert isinstance(found, Address)
    assert expected == found.domain.ascii


@pytest.mark.parametrize(
    "piece",
    ["a.", "(", "(a)", '"', '("\\"', "<", "<>", " ", "a@", "é.", "\u0915\u094d\u200d", "\\", "[:"],
)
def test_time_is_linear(piece: str) -> None:
    """A text of 64 KiB made to hurt is answered as fast as its length asks for."""
    long = (piece * 65536)[:65536]
    started = time.process_time()
    for text in (f"{long}@example.org", f"a@{long}", f"(a@{long}", f'"{long}"@example.org'):
        parse(text)
    # Measured below 0.2 s; a quadratic parser would take minutes.
    assert time.process_time() - started < 3.0


def test_status_of_every_kind_is_used() -> None:
    """Every syntax status but the provider's own is given to some text."""
    rows = {case["status"] for case in CASES["refused"]} | {"INVALID_ADDRESS_LENGTH"}
    syntax = {status.name for status in EntryStatus if 50 <= status < 63}
    assert syntax == rows
