"""How likely slips are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.lists.misspelling import consonants, finger_cost, slip_cost

_WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=12)


@given(_WORDS)
def test_the_same_word_costs_nothing(word: str) -> None:
    """What was meant is no slip."""
    assert 0.0 == slip_cost(word, word)


@given(_WORDS, _WORDS)
def test_another_word_always_costs(typed: str, meant: str) -> None:
    """Two words are never taken for one, and the cost is bounded by retyping everything."""
    if typed != meant:
        assert 0.1 <= slip_cost(typed, meant) <= len(typed) + len(meant) + 1


@pytest.mark.parametrize(
    ("likely", "unlikely", "meant"),
    [
        ("gmial", "gmxil", "gmail"),
        ("gmaul", "gmapl", "gmail"),
        ("gmmail", "gmzail", "gmail"),
        ("gmal", "gail", "gmail"),
        ("hotmale", "hotpaly", "hotmail"),
        ("hotmailmail", "hotmailxqzw", "hotmail"),
        ("outloo", "utlokx", "outlook"),
    ],
)
def test_usual_slips_cost_less(likely: str, unlikely: str, meant: str) -> None:
    """Swaps, near keys, doubles, lost vowels, sounds and cut ends are cheaper than odd changes."""
    assert slip_cost(likely, meant) < slip_cost(unlikely, meant)


def test_the_first_letter_weighs_more() -> None:
    """The same change costs more at the start of a word."""
    assert slip_cost("xmail", "gmail") > slip_cost("gmaix", "gmail")


def test_letters_that_sound_alike_are_one_consonant() -> None:
    """Vowels and doubles are dropped: what is left is how the word sounds."""
    assert consonants("gemmeil") == consonants("jmal")


def test_a_suffix_that_breaks_off_is_half_a_slip() -> None:
    """Each missing last letter costs as much as a cursor moved too early."""
    assert 0.5 == finger_cost("co", "com")
