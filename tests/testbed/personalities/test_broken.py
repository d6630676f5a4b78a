"""Hosts that break off, drag on, or do not speak SMTP."""

import asyncio

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.sessions import Ended
from tests.testbed.wire import Wire, dial, one_host, talk

STEPS = {
    "BANNER": [],
    "EHLO": ["EHLO me.test"],
    "MAIL": ["EHLO me.test", "MAIL FROM:<>"],
    "RCPT": ["EHLO me.test", "MAIL FROM:<>", "RCPT TO:<anna@here.test>"],
}


async def up_to(wire: Wire, step: str) -> None:
    """Say everything up to a step, without reading the answer to it."""
    commands = STEPS[step]
    for command in commands:
        await wire.reply()
        wire.send(command.encode() + b"\r\n")


async def over(bed: Testbed) -> None:
    """Let the loop run until no session is open."""
    while bed.sessions.open.total():
        await asyncio.sleep(0)


@pytest.mark.parametrize("step", STEPS)
async def test_a_host_may_close_in_place_of_an_answer(step: str) -> None:
    """The client reads an end and nothing else."""
    async with Testbed(one_host("drops", at=step)) as bed, dial(bed) as wire:
        await up_to(wire, step)
        assert b"" == await wire.rest()
        await over(bed)
        assert [Ended.HOST_CLOSED] == [record.ended for record in bed.sessions.all]


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT"])
async def test_a_host_may_reset_in_place_of_an_answer(step: str) -> None:
    """The client's socket says so, as behind a firewall that kills connections."""
    async with Testbed(one_host("drops", at=step, reset=True)) as bed, dial(bed) as wire:
        await up_to(wire, step)
        with pytest.raises(ConnectionResetError):
            await wire.rest()
        await over(bed)
        assert [Ended.HOST_RESET] == [record.ended for record in bed.sessions.all]


async def test_a_host_may_answer_and_then_close() -> None:
    """The answer arrives, the next command does not."""
    async with talk("drops", at="EHLO", answers=True) as wire:
        await up_to(wire, "EHLO")
        assert (await wire.rest()).startswith(b"250-mx.here.test\r\n")


@pytest.mark.parametrize("step", STEPS)
async def test_a_host_may_fall_silent(step: str) -> None:
    """No answer comes, not even to the next command, and the connection stays."""
    async with Testbed(one_host("silent", at=step)) as bed, dial(bed) as wire:
        await up_to(wire, step)
        wire.send(b"NOOP\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.reply(), 0.05)
        assert Ended.OPEN is bed.sessions.all[0].ended


async def test_a_tarpit_drips() -> None:
    """Every byte of the answer comes, each by itself."""
    async with talk("tarpit", interval_s=0.001) as wire:
        await up_to(wire, "RCPT")
        assert b"2" == await wire.reader.read(100)
        assert "50 2.1.5 Ok" == (await wire.reply())


async def test_a_tarpit_may_just_wait() -> None:
    """The answer comes late and whole; it counts as any other."""
    async with talk("tarpit", delay_s=0.02, interval_s=0.0) as wire:
        await wire.start()
        assert "250 2.1.5 Ok" == await wire.rcpt("anna@here.test")


async def test_a_tarpit_may_spare_those_it_knows() -> None:
    """A known mailbox is answered at once, a guess is not."""
    async with talk("tarpit", strangers_only=True, delay_s=30) as wire:
        await wire.start()
        assert "250 2.1.5 Ok" == await wire.rcpt("anna@here.test")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.rcpt("nobody@here.test"), 0.05)


async def test_a_banner_may_come_late() -> None:
    """It comes, and the session is like any other."""
    async with talk("slow_banner", delay_s=0.02) as wire:
        await wire.start()
        assert "250 2.1.5 Ok" == await wire.rcpt("anna@here.test")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("NO_CODE", b"what do you want?\r\n"),
        ("BINARY", b"\x16\x03\x01\x00\xff\xfe\x00\x80\r\n"),
        ("CODES_DIFFER", b"250-one thing\r\n550 and its contrary\r\n"),
        ("NO_LINE_END", b"250 Ok"),
        ("LONG_LINE", b"250 " + b"x" * 71680 + b"\r\n"),
    ],
)
async def test_an_answer_may_be_rubbish(form: str, said: bytes, step: str) -> None:
    """Whatever the form, it comes in place of the answer at the chosen step."""
    async with talk("garbled", form=form, at=step) as wire:
        await up_to(wire, step)
        assert said == await wire.reader.readexactly(len(said))


async def test_an_answer_may_never_end() -> None:
    """The client is the one to stop; the record keeps a little of it."""
    async with Testbed(one_host("garbled", form="ENDLESS")) as bed:
        async with dial(bed) as wire:
            await up_to(wire, "RCPT")
            block = await wire.reader.readexactly(200_000)
        await over(bed)
        [record] = bed.sessions.all
    assert {b"250-and so on"} == set(block.split(b"\r\n")[:-1])
    assert 4096 == len(record.exchanges[-1].reply)
