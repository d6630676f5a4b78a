import asyncio

import pytest
from aiosmtplib.errors import SMTPServerDisconnected
from aiosmtplib.response import SMTPResponse
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.reply import Reply
from mailvet.smtp.framing import GatedProtocol, read_reply
from mailvet.smtp.reply_line import MAX_REPLY_BYTES, enhanced_of


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self, protocol: GatedProtocol) -> None:
        super().__init__()
        self._protocol = protocol
        self._open = True

    def write(self, data: object) -> None:
        """Take anything."""

    def is_closing(self) -> bool:
        return not self._open

    def abort(self) -> None:
        self._open = False
        self._protocol.connection_lost(None)


async def read_all(*chunks: bytes) -> tuple[GatedProtocol, Reply]:
    protocol = GatedProtocol()
    protocol.connection_made(Wire(protocol))
    for chunk in chunks:
        protocol.data_received(chunk)
    return protocol, read_reply(await protocol.read_response(timeout=0))


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
async def test_replies(expected: Reply, said: bytes) -> None:
    """A reply is read whole, in whatever pieces it comes."""
    for pieces in ([said], [said[at : at + 1] for at in range(len(said))]):
        protocol, reply = await read_all(*pieces)
        assert (expected, b"") == (reply, protocol.surplus)


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
    ],
)
async def test_what_is_not_smtp(said: bytes) -> None:
    """Anything else ends the connection, and is not kept."""
    protocol = GatedProtocol()
    protocol.connection_made(Wire(protocol))
    protocol.data_received(said)
    assert (True, b"", None) == (protocol.garbled, protocol.surplus, protocol.transport)
    with pytest.raises(SMTPServerDisconnected):
        await protocol.read_response(timeout=0)


async def test_a_stray_reply_answers_nothing() -> None:
    """What comes beyond the reply that is due stays outside, and can be asked for."""
    protocol, reply = await read_all(b"220 mx\r\n250 stray\r\n", b"250 more\r\n")
    assert (220, b"250 stray\r\n250 more\r\n") == (reply.code, protocol.surplus)
    protocol.discard_surplus()
    assert b"" == protocol.surplus


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("5.1.1", "5.1.1 no such user"),
        ("4.2.2", "4.2.2"),
        ("5.7.133", "5.7.133 denied\nmore"),
        (None, "no such user 5.1.1"),
        (None, "5.1 no"),
        (None, "5.1.1.1 no"),
        (None, "5.x.1 no"),
        (None, "3.1.1 no"),
        (None, "5.1.1234 no"),
        (None, "5.1.١ no"),
        (None, ""),
    ],
)
def test_enhanced_codes(expected: str | None, text: str) -> None:
    """The enhanced code is what the text begins with, if it is one (RFC 2034 4)."""
    assert expected == enhanced_of(text)


@given(st.binary(max_size=6000))
def test_texts_are_valid_and_not_endless(said: bytes) -> None:
    """Whatever bytes a reply has, its text can be stored anywhere."""
    reply = read_reply(SMTPResponse(550, said.decode("utf-8", "surrogateescape")))
    assert reply.text.encode().decode() == reply.text
    assert len(reply.text) <= 4 * 4096
