"""Beds: a world brought to life."""

import asyncio
import socket

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import load_world, parse_world
from tests.testbed.wire import ADDRESS, Clock, dial, one_host

TWO_EXCHANGERS = """
[[host]]
name = "mx1.a.test"
addresses = ["127.3.1.1"]
personality = "closed"
domains = ["a.test"]

[[host]]
name = "mx2.a.test"
addresses = ["127.3.1.2", "127.3.1.3"]
preference = 20
domains = ["a.test"]
mailboxes = { users = 1 }
"""


async def test_every_host_listens_on_the_same_port() -> None:
    """A dead first exchanger refuses, and the second answers at each of its addresses."""
    async with Testbed(parse_world(TWO_EXCHANGERS)) as bed:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.3.1.1", bed.smtp_port)
        for address in ("127.3.1.2", "127.3.1.3"):
            async with dial(bed, address) as wire:
                assert "220 mx2.a.test ESMTP ready" == await wire.reply()


async def test_a_port_that_was_asked_for_is_taken() -> None:
    """The same port serves a second bed once the first is down."""
    async with Testbed(one_host()) as bed:
        port = bed.smtp_port
    async with Testbed(one_host(), smtp_port=port) as again:
        assert port == again.smtp_port


async def test_a_port_in_use_is_an_error_that_leaves_nothing_behind() -> None:
    """The name server is stopped again when the mail hosts cannot be."""
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        bed = Testbed(one_host(), smtp_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            await bed.__aenter__()
        port = int(bed.resolver.partition(":")[2])
        async with Testbed(one_host(), resolver_port=port) as other:
            assert bed.resolver == other.resolver


async def test_a_reset_forgets_everybody() -> None:
    """Greylists, counts and records start anew; the sockets stay."""
    async with Testbed(one_host("greylists", delay_s=10.0), clock=(clock := Clock())) as bed:
        for passed_s, code in ((0.0, "450"), (11.0, "250")):
            clock.now_s += passed_s
            async with dial(bed) as wire:
                await wire.start()
                assert code == (await wire.rcpt("anna@here.test"))[:3]
        bed.reset()
        async with dial(bed) as wire:
            await wire.start()
            assert "450" == (await wire.rcpt("anna@here.test"))[:3]
        assert 1 == bed.sessions.count["mx.here.test"]
        assert not bed.queries


async def test_recording_can_be_turned_off() -> None:
    """Counts go on, bytes are not kept."""
    async with Testbed(one_host(), recorded_sessions=0) as bed, dial(bed) as wire:
        await wire.start()
        await wire.rcpt("anna@here.test")
        await wire.ask("ODD")
        assert [] == bed.sessions.all
        assert (1, 1) == (bed.sessions.count.total(), bed.sessions.recipients.total())


async def test_networks_to_allow_follow_the_world() -> None:
    """IPv6 loopback only where a host listens on it."""
    assert ("127.0.0.0/8",) == Testbed(one_host()).allow_networks
    world = parse_world('[[host]]\nname = "a.test"\naddresses = ["::1"]')
    assert ("127.0.0.0/8", "::1/128") == Testbed(world).allow_networks


async def test_the_demo_comes_up() -> None:
    """Every address of the demo can be bound, and an ordinary mailbox is taken."""
    async with Testbed(load_world("demo")) as bed, dial(bed, "127.1.0.1") as wire:
        await wire.start()
        assert "250 2.1.5 Ok" == await wire.rcpt("user1@plain.test")
