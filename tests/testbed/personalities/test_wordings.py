"""Hosts that behave well, in words of their own."""

import pytest

from mailvet.testbed.personalities import PERSONALITIES
from tests.testbed.wire import talk

WORDINGS = [
    ("plain", "anna", "250 2.1.5 Ok"),
    ("plain", "nobody", "550 5.1.1 <nobody@here.test>: Recipient address rejected: User unknown"),
    ("plain", "full", "552 5.2.2 <full@here.test>: Mailbox is over quota"),
    (
        "plain",
        "brimming",
        "452 4.2.2 <brimming@here.test>: The mailbox is full, user is over quota",
    ),
    ("plain", "gone", "550 5.2.1 <gone@here.test>: The account is disabled"),
    ("plain", "busy", "450 4.2.0 <busy@here.test>: Mailbox busy, try again later"),
    ("catch_all", "anna", "250 2.1.5 Ok"),
    ("catch_all", "nobody", "250 2.1.5 Ok"),
    ("catch_all", "full", "552 5.2.2 <full@here.test>: Mailbox is over quota"),
    ("bare_550", "anna", "250 2.1.5 Ok"),
    ("bare_550", "nobody", "550 Requested action not taken"),
    ("policy_for_strangers", "anna", "250 2.1.5 Ok"),
    (
        "policy_for_strangers",
        "nobody",
        "550 5.7.1 Message rejected by local policy: client 127.0.0.1 is not trusted",
    ),
    ("exchange_online", "anna", "250 2.1.5 Recipient OK"),
    (
        "exchange_online",
        "nobody",
        "550 5.4.1 Recipient address rejected: Access denied. [mx.here.test]",
    ),
    ("yahoo", "anna", "250 recipient <anna@here.test> ok"),
    (
        "yahoo",
        "nobody",
        (
            "554 delivery error: dd This user doesn't have a yahoo account (nobody@here.test) [0] "
            "- mx.here.test"
        ),
    ),
]


@pytest.mark.parametrize(("personality", "who", "reply"), WORDINGS)
async def test_each_kind_of_mailbox_has_its_words(personality: str, who: str, reply: str) -> None:
    """What a host says of a mailbox depends on the mailbox alone."""
    async with talk(personality) as wire:
        await wire.start()
        assert reply == await wire.rcpt(f"{who}@here.test")


@pytest.mark.parametrize("personality", ["many_lines", "gmail"])
async def test_a_refusal_may_have_many_lines(personality: str) -> None:
    """Every line but the last has a hyphen, and each has the enhanced code."""
    async with talk(personality) as wire:
        await wire.start()
        lines = (await wire.rcpt("nobody@here.test")).split("\n")
    assert {"550-5.1.1 "} == {line[:10] for line in lines[:-1]}
    assert "550 5.1.1 " == lines[-1][:10]


async def test_a_banner_may_have_many_lines() -> None:
    """RFC 5321 4.2 allows it, and some clients do not know."""
    async with talk("many_lines") as wire:
        assert 4 == len((await wire.reply()).split("\n"))


@pytest.mark.parametrize("personality", ["plain", "catch_all", "gmail", "yahoo"])
async def test_a_foreign_domain_is_not_relayed(personality: str) -> None:
    """No host takes mail for a domain that is not its own."""
    async with talk(personality) as wire:
        await wire.start()
        assert "554 5.7.1 <anna@far.test>: Relay access denied" == await wire.rcpt("anna@far.test")


async def test_a_world_may_choose_the_words() -> None:
    """An option replaces a text; other languages are just that."""
    async with talk(unknown="550 Empfänger {mailbox} unbekannt") as wire:
        await wire.start()
        assert "550 Empfänger nobody@here.test unbekannt" == await wire.rcpt("nobody@here.test")


async def test_no_smtputf8_is_said_by_not_offering_it() -> None:
    """A host offers what the world lists, and refuses what it does not."""
    async with talk(extensions=("PIPELINING", "8BITMIME")) as wire:
        await wire.reply()
        assert "250-mx.here.test\n250-PIPELINING\n250 8BITMIME" == await wire.ask("EHLO me.test")
        assert "555" == (await wire.ask("MAIL FROM:<> SMTPUTF8"))[:3]


def test_every_personality_tells_its_case() -> None:
    """The docstring of each class says whom in the real world it stands for."""
    assert all(chosen.__doc__ for chosen in PERSONALITIES.values())
    assert len(PERSONALITIES) == len({chosen.__doc__ for chosen in PERSONALITIES.values()})
