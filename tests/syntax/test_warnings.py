"""Spellings that look like something else."""

import pytest

from mailvet.model.address import Address
from mailvet.syntax import parse, spelling_warnings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@example.org", ()),
        ("jürgen@bücher.example", ()),
        ("юрий@почта.рф", ()),
        ("東京タワーです@例え.jp", ()),
        ("서울seoul@example.org", ()),
        ("p\u0430ypal@example.org", ("MIXED_SCRIPT_LOCAL_PART",)),
        ("ann@p\u0430ypal.com", ("MIXED_SCRIPT_DOMAIN", "CONFUSABLE_DOMAIN")),
        ("ann@\u0440\u0430\u0443\u0440\u0430\u04cf.com", ("CONFUSABLE_DOMAIN",)),
        ("ann@\u0441\u0430\u0445\u0430.рф", ()),
        ("\u0915\u094d\u200d\u0937@example.org", ("INVISIBLE_CHARACTER",)),
        ("ju\u0308rgen@example.org", ("LOCAL_PART_NOT_NFC",)),
        ("ａｎｎ@example.org", ("COMPATIBILITY_CHARACTER",)),
    ],
)
def test_warnings(text: str, expected: tuple[str, ...]) -> None:
    """Only what could be taken for another spelling is warned of."""
    found = parse(text)
    assert isinstance(found, Address), found
    assert expected == spelling_warnings(found)
