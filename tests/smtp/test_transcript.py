import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.smtp.transcript import MAX_LINE_CHARS, printable


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("550 5.1.1 no such user", "550 5.1.1 no such user"),
        ("550 Empfänger unbekannt 用户", "550 Empfänger unbekannt 用户"),
        ("\\x1b[2J\\x1b]0;root\\x07", "\x1b[2J\x1b]0;root\x07"),
        ('ok\\r\\n{"level"', 'ok\r\n{"level"'),
        ("\\u202eevil\\u2066\\u200b", "\u202eevil\u2066\u200b"),
        ("\\x9b31m\\x85\\u2028", "\x9b31m\x85\u2028"),
        ("उपयोगकर्ता अज्ञात", "उपयोगकर्ता अज्ञात"),
        ("\\udcff", "\udcff"),
    ],
)
def test_printable(expected: str, said: str) -> None:
    """Words are kept, what a terminal or log would obey is spelt out."""
    assert expected == printable(said)


@given(st.text(max_size=2000))
def test_any_text_becomes_one_short_harmless_line(said: str) -> None:
    """Whatever is said fits on one printable line and can be encoded."""
    line = printable(said)
    assert len(line) <= MAX_LINE_CHARS
    assert line.isprintable()
    assert line == line.encode().decode()
    assert len(line.splitlines()) <= 1
