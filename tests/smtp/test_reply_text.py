"""Tests of what is language in a reply."""

import pytest

from mailvet.smtp.reply_text import BREAK, enhanced_in, fold, without_names, words_of


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 no", "5.1.1"),
        ("sorry (#5.7.1)", "5.7.1"),
        ("X1si5.1.1", "5.1.1"),
        ("4.7.650 later", "4.7.650"),
        ("from 5.1.1.2", None),
        ("version 3.1.1", None),
        ("", None),
    ],
)
def test_enhanced_code_anywhere(text: str, enhanced: str | None) -> None:
    """An enhanced code is found wherever it stands, and an IP address is none."""
    assert enhanced == enhanced_in(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("550-5.1.1 No such\n550-5.1.1 user", ["no", "such", BREAK, "user"]),
        ("<a@example.org>... User", ["addressmark", BREAK, "user"]),
        ("[192.0.2.1] listed", ["ipmark", "listed"]),
        ("[2001:db8::1] listed", ["ipmark", "listed"]),
        ("RecipientNotFound; no", ["recipient", "not", "found", BREAK, "no"]),
        ("doesn't, can't, cannot", ["does", "not", "can", "not", "can", "not"]),
        ("Größe Łódź désactivé", ["grosse", "lodz", "desactive"]),
        ("邮箱已满", ["邮", "箱", "已", "满"]),
        ("see http://bl.example/rbl?ip=1 now", ["see", "rbl", "now"]),
        ("in 300 seconds", ["in", "seconds"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """Codes and numbers go, addresses leave a mark, accents and case are folded."""
    assert words == words_of(text, frozenset({"rbl"}))


def test_folding_keeps_ascii() -> None:
    """Plain text is only put in lower case."""
    assert fold("User Unknown") == "user unknown"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no such user", "no such user"),
        ("<ann@example.org>: no such user", "<@>: no such user"),
        ("user <ann@example.org> unknown", "user <@> unknown"),
        ("<a@example.org> is <b@example.org>", "<@> is <@>"),
        ("<Ångström@example.org> unknown", "<@> unknown"),
        ("a < b and c > d", "a < b and c > d"),
        ("a < b", "a < b"),
        ("<> and <a>", "<> and <@>"),
        ("<a<b@example.org> no", "<a<@> no"),
        ("<a\tb> no", "<a\tb> no"),
        (f"<{'a' * 321}> no", f"<{'a' * 321}> no"),
        (f"<{'a' * 320}> no", "<@> no"),
    ],
)
def test_names_are_left_out(text: str, left: str) -> None:
    """What stands in angle brackets is a mailbox, unless it has a space or never ends."""
    assert left == without_names(text)
