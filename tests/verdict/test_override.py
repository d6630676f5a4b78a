"""Override rules: what a pattern matches, and that it takes linear time."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.address import Address, DomainName
from mailvet.model.ruling import OverrideRule
from mailvet.model.status import Classification
from mailvet.verdict.override import RuleBook, fault_in


def _address(local_part: str, domain: str, spelling: str = "") -> Address:
    return Address(local_part, DomainName(domain, spelling or domain))


def _book(*patterns: str) -> RuleBook:
    return RuleBook([OverrideRule(pattern, Classification.RISKY) for pattern in patterns])


ANN = _address("Ann.Lee", "mail.example.org")
GERMAN = _address("ann", "xn--bcher-kva.example", "bücher.example")
QUOTED = _address('"a@b"', "example.org")


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("ann.lee@mail.example.org", ANN),
        ("ANN.LEE@Mail.Example.ORG", ANN),
        ("ann*@*", ANN),
        ("*@mail.example.org", ANN),
        ("*@*.example.org", ANN),
        ("*.lee@*", ANN),
        ("a*n*e@mail.*", ANN),
        ("ann?lee@mail.example.or?", ANN),
        ("mail.example.org", ANN),
        ("*.org", ANN),
        ("*", ANN),
        ("*example*", ANN),
        ("*@bücher.example", GERMAN),
        ("BÜCHER.*", GERMAN),
        ("*.example", GERMAN),
        ("xn--*", GERMAN),
        ('"a@b"@example.org', QUOTED),
        ("*@b*@example.org", QUOTED),
    ],
)
def test_a_pattern_matches(pattern: str, address: Address) -> None:
    """Case does not matter, a star stands for anything, a question mark for one character."""
    assert 0 == _book(pattern).first(address)


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("ann@mail.example.org", ANN),
        ("*@example.org", ANN),
        ("example.org", ANN),
        ("*.lee", ANN),
        ("ann??lee@*", ANN),
        ("*mail.example.org.", ANN),
        ("ann*lee.lee@*", ANN),
        ("mail.example.or", ANN),
        ("*@b.example", QUOTED),
        ("a.c", _address("x", "abc")),
    ],
)
def test_a_pattern_does_not_match(pattern: str, address: Address) -> None:
    """A star does not cross the at sign, a dot is a dot, both ends count."""
    assert None is _book(pattern).first(address)


def test_the_first_match_decides() -> None:
    """Rules are looked through in their order; one that matches nothing hides none."""
    book = _book("*.net", "ann*@*", "*.org")
    assert 1 == book.first(ANN)
    assert 2 == book.first(_address("bob", "example.org"))
    assert None is book.first(_address("bob", "example.com"))
    assert None is _book().first(ANN)


@given(st.text("ab*?.", min_size=1, max_size=12), st.text("ab.", min_size=1, max_size=12))
def test_patterns_agree_with_another_matcher(pattern: str, domain: str) -> None:
    """Over the same alphabet the standard library's file name patterns decide the same."""
    expected = 0 if fnmatch.fnmatchcase(domain, pattern) else None
    assert expected == _book(pattern).first(_address("x", domain))


def test_a_hundred_nasty_rules_take_linear_time() -> None:
    """Stars that could all fit everywhere do not multiply: ten times as long takes tens of ms."""
    nasty = "*a" * 150 + "b"
    book = _book(*[nasty] * 100)
    started = time.process_time()
    assert None is book.first(_address("a" * 64, "a" * 255))
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("", "needs a pattern"),
        ("x" * 321, "at most 320"),
        ("@example.org", "both sides"),
        ("ann@", "both sides"),
        ("*@exa mple.org", "no blanks"),
        ("*@exam\0ple.org", "printable"),
        (" ", "printable"),
    ],
)
def test_a_wrong_pattern_says_what_is_wrong(pattern: str, word: str) -> None:
    """The way out is in the sentence; such a rule cannot be compiled."""
    assert word in (fault_in(pattern) or "")
    with pytest.raises(ValueError, match=word):
        _book(pattern)
