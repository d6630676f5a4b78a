"""Addresses inside other forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.address import Address
from mailvet.syntax import parse, suggest_form


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("Ann Lee <ann@example.org>", "ann@example.org"),
        ("<ann@example.org>", "ann@example.org"),
        ('"Lee, Ann" <ann@example.org> (work)', "ann@example.org"),
        ("mailto:ann@example.org?subject=x", "ann@example.org"),
        ("<MAILTO:ann%2Bx@example.org>", "ann+x@example.org"),
        ("ann @ example . org", "ann@example.org"),
        ("ann(work)@example.org", "ann@example.org"),
        ("ann@example.org\r\n", "ann@example.org"),
        ("'ann@example.org';", "ann@example.org"),
        ('"ann@example.org"', "ann@example.org"),
        ("“ann@example.org”.", "ann@example.org"),
        ("ann＠example.org", "ann@example.org"),
        ("\u200bann@BÜCHER.example", "ann@bücher.example"),
    ],
)
def test_inner_address(text: str, inner: str) -> None:
    """The address that stands in another form is found."""
    assert inner == suggest_form(text)


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org",
        '"a b"@example.org',
        "",
        "ann",
        "ann lee@example.org",
        ".ann@example.org",
        "ann@example.org, bob@example.org",
        "Ann <ann@example.org>, Bob <bob@example.org>",
        "Ann <ann@localhost>",
        " " * 2000 + "<ann@example.org>",
    ],
)
def test_no_guess(text: str) -> None:
    """Nothing is suggested for an address as it should be, for two of them or for none."""
    assert suggest_form(text) is None


@given(st.text(alphabet="a@.<>()\"' \\:,\ud800\u0308é", max_size=40))
def test_suggestions_are_addresses(text: str) -> None:
    """Whatever is suggested is itself accepted."""
    found = suggest_form(text)
    assert found is None or isinstance(parse(found), Address)
