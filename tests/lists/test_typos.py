"""What a mistyped domain was meant to be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.lists import is_great_provider, suggest
from mailvet.lists.rows import read_bundled
from mailvet.lists.typos import MAX_SUGGESTIONS
from tests.cases import names, rows


@pytest.mark.parametrize("row", rows("typos"), ids=names("typos"))
def test_a_mistyped_domain_is_put_right(row: dict[str, Any]) -> None:
    """The first suggestion is what was meant; what is real is left alone."""
    expected = [row["meant"]] if "meant" in row else []
    wrong = {
        typed: found
        for typed in row["typed"]
        if expected != (found := [email.partition("@")[2] for email in suggest("jane", typed)][:1])
    }
    assert {} == wrong


def test_the_local_part_is_kept_exactly() -> None:
    """A suggestion is a whole address with the local part as it was."""
    assert "Jane.Doe+x@gmail.com" == suggest("Jane.Doe+x", "gmial.com")[0]


@pytest.mark.parametrize("name", ["free", "masked", "organisations"])
def test_no_known_domain_is_corrected(name: str) -> None:
    """Every provider, relay and organisation of our lists is left alone."""
    known = {row for rows_ in read_bundled(name).tables.values() for row in rows_}
    assert [] == [domain for domain in sorted(known) if suggest("jane", domain)]


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(domain: str) -> None:
    """Nothing raises, and there are never more suggestions than allowed."""
    assert len(suggest("jane", domain)) <= MAX_SUGGESTIONS


@given(st.sampled_from(["gmail.com", "hotmail.com", "outlook.com", "comcast.net"]), st.data())
def test_a_suggestion_needs_no_further_suggestion(domain: str, data: st.DataObject) -> None:
    """What is suggested for a domain with one letter lost is itself left alone."""
    lost = data.draw(st.integers(1, len(domain) - 1))
    for email in suggest("jane", domain[:lost] + domain[lost + 1 :]):
        assert () == suggest(*email.split("@"))


def test_great_providers_are_known_to_exist() -> None:
    """The domains people mean most are providers that exist, and their misspellings are not."""
    assert is_great_provider("gmail.com")
    assert is_great_provider("outlook.com")
    assert not is_great_provider("gmial.com")
    assert not is_great_provider("example.com")
