"""One POST over a real connection: what is sent, what is read, and what is never done."""

import asyncio
import ssl

import pytest
import trustme

from mailvet.callbacks.post import PostFailed, post
from mailvet.callbacks.url import Target, UrlRules, read_url
from tests.callbacks.receiver import listening, status

LOOSE = UrlRules(http=True)
TLS = ssl.create_default_context()
PATIENCE_S = 20.0
"""For a busy machine; what must be cut short is given less."""


def target(port: int, scheme: str = "http", host: str = "hooks.example") -> Target:
    """Whom to call at a port."""
    return read_url(f"{scheme}://{host}:{port}/in?a=b", LOOSE)


async def send(port: int, *, within_s: float = PATIENCE_S) -> int:
    """Post to a port of 127.0.0.1, whatever the name says."""
    return await post(
        target(port), "127.0.0.1", [("webhook-id", "m1")], b"{}", tls=TLS, within_s=within_s
    )


async def test_a_post_is_sent_to_the_address_and_names_the_host() -> None:
    """Nothing is looked up: `hooks.example` has no address."""
    async with listening() as receiver:
        assert 204 == await send(receiver.port)
    (heard,) = receiver.heard
    assert ("POST /in?a=b HTTP/1.1", b"{}") == (heard.line, heard.body)
    assert f"hooks.example:{receiver.port}" == heard.headers["host"]
    assert ("m1", "close") == (heard.headers["webhook-id"], heard.headers["connection"])


@pytest.mark.parametrize("code", [200, 301, 302, 307, 404, 410, 500, 503])
async def test_the_status_is_returned_and_no_redirect_followed(code: int) -> None:
    """Whatever a Location says."""
    async with listening() as elsewhere, listening() as receiver:
        receiver.answers = [status(code, f"Location: http://127.0.0.1:{elsewhere.port}/")]
        assert code == await send(receiver.port)
    assert (1, 0) == (receiver.connections, elsewhere.connections)


async def test_an_endless_body_is_not_read() -> None:
    """The head says all."""
    async with listening() as receiver:
        receiver.answers = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" + b"x" * 10**6
        ]
        assert 200 == await send(receiver.port)


async def test_preliminary_answers_are_passed_over() -> None:
    """103 and the like come before the one that counts."""
    async with listening() as receiver:
        receiver.answers = [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + status(202)]
        assert 202 == await send(receiver.port)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "no answer within 0.3 s"),
        (b"", "no answer in HTTP/1.1"),
        (b"HTTP/1.1 200", "no answer in HTTP/1.1"),
        (b"220 mx.example ESMTP\r\n", "no answer in HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "no answer in HTTP/1.1"),
    ],
)
async def test_what_is_no_answer_is_told(answer: bytes | None, told: str) -> None:
    """Silence, a closed connection, another protocol, a head without end."""
    async with listening() as receiver:
        receiver.answers = [answer]
        with pytest.raises(PostFailed) as caught:
            await send(receiver.port, within_s=0.3 if answer is None else PATIENCE_S)
    assert told in str(caught.value)


async def test_a_closed_port_is_told() -> None:
    """In the system's words."""
    async with listening() as receiver:
        port = receiver.port
    with pytest.raises(PostFailed) as caught:
        await send(port)
    assert "connection" in str(caught.value)


async def test_a_certificate_must_be_of_the_host_and_trusted() -> None:
    """The address that is dialled does not count, nor is an unknown authority taken."""
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    told = []
    async with listening(serving) as receiver:
        for host, context in (
            ("hooks.example", trusting),
            ("other.example", trusting),
            ("hooks.example", TLS),
        ):
            whom = target(receiver.port, "https", host)
            try:
                answered = await post(
                    whom, "127.0.0.1", [], b"{}", tls=context, within_s=PATIENCE_S
                )
                told.append(str(answered))
            except PostFailed as error:
                told.append(str(error).partition(":")[0])
            await asyncio.sleep(0)
    assert ["204", "certificate", "certificate"] == told
