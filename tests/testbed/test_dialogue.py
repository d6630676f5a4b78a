"""Replies as bytes."""

import pytest

from mailvet.testbed.dialogue import Answer, Then, reply_bytes, say


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("250 Ok", b"250 Ok\r\n"),
        ("250 a\nb", b"250-a\r\n250 b\r\n"),
        ("550 5.1.1 a\nb", b"550-5.1.1 a\r\n550 5.1.1 b\r\n"),
        ("220 mx.a.test\nb", b"220-mx.a.test\r\n220 b\r\n"),
        ("250 1.2.3.4 greets\nb", b"250-1.2.3.4 greets\r\n250 b\r\n"),
        ("550 ü", "550 ü\r\n".encode()),
    ],
)
def test_a_reply_has_its_code_on_every_line(text: str, wire: bytes) -> None:
    """An enhanced code is repeated too; a host name or an address is not one."""
    assert wire == reply_bytes(text)


def test_only_a_whole_2yz_reply_is_positive() -> None:
    """Silence, refusals and endless blocks accept nobody."""
    assert say("250 Ok").positive
    assert Answer((b"2", b"5", b"0 Ok\r\n")).positive
    assert not say("450 later").positive
    assert not Answer(then=Then.CLOSE).positive
    assert not Answer(iter([b"250 "])).positive
