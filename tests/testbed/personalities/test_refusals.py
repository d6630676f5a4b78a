"""Hosts that refuse for reasons of their own."""

import asyncio
import smtplib
import ssl

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.places import DEFAULT_EXTENSIONS
from mailvet.testbed.sessions import Ended
from tests.testbed.wire import ADDRESS, dial, one_host, talk


@pytest.mark.parametrize(
    ("personality", "banner"),
    [
        (
            "blocks_at_banner",
            "554 5.7.1 mx.here.test: client host [127.0.0.1] blocked using bl.example",
        ),
        (
            "defers_at_banner",
            (
                "421 4.7.0 [TSS04] Messages from 127.0.0.1 temporarily deferred due to unexpected "
                "volume or user complaints"
            ),
        ),
    ],
)
async def test_a_banner_may_be_a_refusal(personality: str, banner: str) -> None:
    """It names our address, and the host hangs up."""
    async with Testbed(one_host(personality)) as bed, dial(bed) as wire:
        assert banner == await wire.reply()
        assert b"" == await wire.rest()
        assert Ended.HOST_CLOSED is bed.sessions.all[0].ended


@pytest.mark.parametrize(
    ("personality", "reply"),
    [
        (
            "blocks_at_rcpt",
            "550 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using bl.example",
        ),
        (
            "rejects_sender",
            "550 5.1.8 <probe@me.test>: Sender address rejected: Domain not found",
        ),
        ("relay_denied", "554 5.7.1 <anna@here.test>: Relay access denied"),
        ("server_trouble", "451 4.3.0 <anna@here.test>: Temporary lookup failure"),
    ],
)
async def test_every_recipient_may_be_refused(personality: str, reply: str) -> None:
    """The reason is not the mailbox, which exists."""
    async with talk(personality) as wire:
        await wire.start()
        assert reply == await wire.rcpt("anna@here.test")


async def test_a_sender_may_be_refused_at_mail() -> None:
    """The step and the words are the world's to choose; the transaction does not begin."""
    reply = "553 5.1.8 <{sender}>: sender rejected"
    async with talk("rejects_sender", at="MAIL", reply=reply) as wire:
        await wire.reply()
        await wire.ask("EHLO me.test")
        assert "553 5.1.8 <a@me.test>: sender rejected" == await wire.ask("MAIL FROM:<a@me.test>")
        assert "503" == (await wire.rcpt("anna@here.test"))[:3]


async def test_a_helo_name_may_be_refused() -> None:
    """EHLO and HELO alike, and nothing goes on after that."""
    async with talk("rejects_helo") as wire:
        await wire.reply()
        replies = await wire.ask_all("EHLO me.test", "HELO me.test", "MAIL FROM:<>")
    refusal = "550 5.7.1 <me.test>: Helo command rejected: Host not found"
    assert [refusal, refusal, "503 5.5.1 Error: send HELO/EHLO first"] == replies


async def test_an_old_host_takes_only_helo() -> None:
    """EHLO is unknown, HELO is not, and extensions there are none."""
    async with talk("refuses_ehlo") as wire:
        await wire.reply()
        replies = await wire.ask_all(
            "EHLO me.test", "HELO me.test", "MAIL FROM:<> SIZE=1", "MAIL FROM:<>"
        )
        assert ["502", "250", "555", "250"] == [reply[:3] for reply in replies]
        assert "250 2.1.5 Ok" == await wire.rcpt("anna@here.test")


async def test_a_host_may_insist_on_tls() -> None:
    """In the clear MAIL is refused; after STARTTLS it is not."""

    def visit(port: int) -> tuple[int, bytes, int]:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with smtplib.SMTP(ADDRESS, port, local_hostname="me.test", timeout=5) as client:
            client.ehlo()
            code, text = client.mail("")
            client.starttls(context=context)
            client.ehlo()
            client.mail("")
            return code, text, client.rcpt("anna@here.test")[0]

    world = one_host("insists_on_tls", extensions=(*DEFAULT_EXTENSIONS, "STARTTLS"))
    async with Testbed(world) as bed:
        got = await asyncio.to_thread(visit, bed.smtp_port)
    assert (530, b"5.7.0 Must issue a STARTTLS command first", 250) == got
