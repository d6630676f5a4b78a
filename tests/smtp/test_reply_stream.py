import pytest

from mailvet.model.reply import Reply
from mailvet.smtp.reply_line import MAX_REPLY_BYTES
from mailvet.smtp.reply_stream import ReplyStream, farewell_of


def pull_all(stream: ReplyStream) -> list[Reply]:
    return list(iter(stream.pull, None))


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Reply(220, "mx ESMTP"), b"220 mx ESMTP\r\n"),
        (Reply(250, "mx\nPIPELINING\nSIZE 9"), b"250-mx\r\n250-PIPELINING\r\n250 SIZE 9\r\n"),
        (Reply(550, "5.1.1 no\n5.1.1 more", "5.1.1"), b"550-5.1.1 no\r\n550 5.1.1 more\r\n"),
        (Reply(250, ""), b"250\r\n"),
        (Reply(250, "bare"), b"250 bare\n"),
        (Reply(550, "Empfänger"), "550 Empfänger\r\n".encode()),
        (Reply(550, "Empfänger"), b"550 Empf\xe4nger\r\n"),
    ],
)
def test_replies(expected: Reply, said: bytes) -> None:
    """Replies are read whole, in whatever pieces they come, and none before its end."""
    stream = ReplyStream()
    early = []
    for at in range(len(said) * 2 - 1):
        stream.push((said * 2)[at : at + 1], due=2)
        early += pull_all(stream)
    assert [expected] == early
    stream.push(said[-1:], due=1)
    assert ([expected], b"", False) == (pull_all(stream), stream.surplus, stream.garbled)


def test_many_at_once() -> None:
    """A whole group's replies come in one piece, and what goes beyond is left as surplus."""
    stream = ReplyStream()
    stream.push(b"250 a\r\n" * 3 + b"55", due=3)
    assert [Reply(250, "a")] * 3 == pull_all(stream)
    assert b"55" == stream.surplus


@pytest.mark.parametrize(
    "said",
    [
        b"what do you want?\r\n",
        b"\x16\x03\x01\x00\xff\r\n",
        b"250-one thing\r\n550 and its contrary\r\n",
        b"150 HTTP\r\n",
        b"+25 no\r\n",
        b"2500 no\r\n",
        b"\r\n",
        b"250-and so on\r\n" * 5000,
        b"250 " + b"x" * MAX_REPLY_BYTES,
        b"250 " + b"x" * 9000 + b"\r\n",
    ],
)
@pytest.mark.parametrize("due", [1, 9])
def test_what_is_not_smtp(said: bytes, due: int) -> None:
    """Anything else is garbled and not kept, also beside replies that were right."""
    stream = ReplyStream()
    stream.push(b"250 a\r\n", due)
    stream.push(said, due)
    assert [Reply(250, "a")] * (due > 1 or len(said) < MAX_REPLY_BYTES) == pull_all(stream)
    assert (True, b"") == (stream.garbled, stream.surplus)


@pytest.mark.parametrize(
    ("expected", "surplus"),
    [
        (Reply(421, "4.7.0 bye", "4.7.0"), b"421 4.7.0 bye\r\n250 more\r\n"),
        (Reply(421, ""), b"421"),
        (None, b"250 stray\r\n"),
        (None, b"42"),
    ],
)
def test_farewells(expected: Reply | None, surplus: bytes) -> None:
    """Only 421 may come unasked (RFC 5321 3.8)."""
    assert expected == farewell_of(surplus)
