"""Phone numbers by E.164."""

import pytest

from mailvet.syntax.phone import e164, has_numbers


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("6123 4567", "SG", "+6561234567"),
        ("+65 6123-4567", "", "+6561234567"),
        ("+65 6123-4567", "DE", "+6561234567"),
        ("(020) 7946 0018", "GB", "+442079460018"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
        ("tel:+1-202-555-0123", "", "+12025550123"),
        ("+\uff14\uff14 20 7946 0018", "", "+442079460018"),
        ("6123 4567", "", ""),
        ("12", "SG", ""),
        ("+999 123 4567", "", ""),
        ("call me", "SG", ""),
        ("", "SG", ""),
        ("1" * 300, "SG", ""),
    ],
)
def test_a_number_has_one_form(text: str, country: str, expected: str) -> None:
    """However it is written; what nobody is given out is none."""
    assert expected == e164(text, country)


def test_countries_are_known() -> None:
    """By their two letters."""
    assert has_numbers("SG")
    assert not has_numbers("XX")
