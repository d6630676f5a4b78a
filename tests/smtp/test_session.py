import asyncio
import time
from typing import Protocol

import pytest

from mailvet.model.reply import Stage, Trouble
from mailvet.smtp.limits import VisitLimits
from mailvet.smtp.plan import Plan
from mailvet.smtp.transcript import Direction
from tests.smtp.drivers import DRIVERS, Driver
from tests.smtp.people import QUICK, US, envelope, mailbox
from tests.smtp.scripted import HOST, Script, scripted

A, B = mailbox("a@x.test"), mailbox("b@x.test")
HELLO = (b"220 mx\r\n", b"250 mx\r\n", b"250 Ok\r\n")
"""The banner, the answers to EHLO and MAIL."""


class Run(Protocol):
    """Carries out a dialogue about two mailboxes, with one of the drivers."""

    async def __call__(
        self, script: Script, limits: VisitLimits = QUICK, lines: list[str] | None = None
    ) -> Plan: ...


@pytest.fixture(params=DRIVERS)
def run(request: pytest.FixtureRequest) -> Run:
    driver: Driver = DRIVERS[request.param]

    async def run(
        script: Script, limits: VisitLimits = QUICK, lines: list[str] | None = None
    ) -> Plan:
        plan = Plan(US, [envelope("a@x.test", "b@x.test")], host="mx", address=HOST)
        await driver(plan, HOST, script.port, limits, lines)
        return plan

    return run


async def test_a_whole_dialogue(run: Run) -> None:
    """Exactly the planned bytes are on the wire, QUIT included, and every answer is kept."""
    async with scripted(*HELLO, b"250 Ok\r\n", b"550 5.1.1 no\r\n", b"221 Bye\r\n") as script:
        plan = await run(script)
        await script.ended.wait()
    assert [
        b"EHLO us.test\r\n",
        b"MAIL FROM:<>\r\n",
        b"RCPT TO:<a@x.test>\r\n",
        b"RCPT TO:<b@x.test>\r\n",
        b"QUIT\r\n",
    ] == script.heard
    codes = [seen.reply.code for seen in plan.report().observations.values() if seen.reply]
    assert ([250, 550], "mx", HOST) == (codes, *plan.report().observations[A][1:3])


async def test_a_stray_reply_never_answers_for_the_next_recipient(run: Run) -> None:
    """A reply nobody asked for breaks the dialogue off before it can be taken for an answer."""
    async with scripted(*HELLO, b"250 Ok\r\n250 extra\r\n", b"550 5.1.1 no\r\n") as script:
        plan = await run(script)
        await script.ended.wait()
    assert [A] == list(plan.report().observations)
    assert (B,) == plan.report().unasked
    assert script.heard[-1] == b"RCPT TO:<a@x.test>\r\n"


async def test_a_farewell_beside_an_answer(run: Run) -> None:
    """421 right behind an answer is a farewell: the answer counts, the rest is unasked."""
    said = b"550 5.1.1 no\r\n421 4.7.0 Too many errors\r\n"
    async with scripted(*HELLO, said) as script:
        plan = await run(script)
    assert ([A], (B,), 1) == (
        list(plan.report().observations),
        plan.report().unasked,
        plan.report().recipients_taken,
    )


async def test_a_dripping_reply_is_cut_at_the_deadline(run: Run) -> None:
    """The deadline is for the whole reply: bytes that drip do not prolong it."""
    async with scripted(b"220-mx\r\n" * 3, b"") as script:
        began = time.monotonic()
        plan = await run(script, VisitLimits().scaled(0.005))
        assert time.monotonic() - began < 2
    assert (Stage.BANNER, Trouble.TIMEOUT) == (
        plan.report().observations[A].stage,
        plan.report().observations[A].trouble,
    )


async def test_a_host_that_stops_answering_still_hears_quit(run: Run) -> None:
    """After a greeting, a timeout is followed by QUIT, which is not waited for."""
    async with scripted(*HELLO) as script:
        plan = await run(script)
        await script.ended.wait()
    assert b"QUIT\r\n" == script.heard[-1]
    assert Trouble.TIMEOUT == plan.report().observations[A].trouble


async def test_the_session_has_a_deadline_of_its_own(run: Run) -> None:
    """A session ends in time, however patient each step is."""
    limits = VisitLimits(session_s=0.2)
    async with scripted(*HELLO, b"250 Ok\r\n") as script:
        plan = await run(script, limits)
    assert ([A], (B,)) == (list(plan.report().observations), plan.report().unasked)


async def test_transcript_lines(run: Run) -> None:
    """Every line is told as it is said, and is harmless to whoever reads it."""
    lines: list[str] = []
    async with scripted(
        b"220-mx\x1b[2J\r\n220 ESMTP\r\n",
        b"554 5.7.1 \xe2\x80\xae no\r\n",
        b"554 no\r\n",
        b"221\r\n",
    ) as script:
        await run(script, lines=lines)
    assert [
        f"* connecting to mx [{HOST}]:{script.port}",
        "< 220-mx\\x1b[2J",
        "< 220 ESMTP",
        "> EHLO us.test",
        "< 554 5.7.1 \\u202e no",
        "> HELO us.test",
        "< 554 no",
        "> QUIT",
        "< 221 ",
    ] == lines
    assert Direction.SENT == lines[3][0]


async def test_a_cancelled_session_takes_its_leave(run: Run) -> None:
    """Cancellation says QUIT, closes the socket, and goes on to the caller."""
    async with scripted(*HELLO) as script:
        task = asyncio.create_task(run(script, VisitLimits()))
        while len(script.heard) < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(script.ended.wait(), 5)
    assert [b"RCPT TO:<a@x.test>\r\n", b"QUIT\r\n"] == script.heard[-2:]


async def test_what_was_said_before_the_handshake_is_forgotten(run: Run) -> None:
    """Plain text behind the answer to STARTTLS is never taken for a reply (RFC 3207 6)."""
    async with scripted(
        b"220 mx\r\n", b"530 5.7.0 Must issue STARTTLS\r\n", b"220 go\r\n250 injected\r\n"
    ) as script:
        plan = await run(script)
    assert Stage.STARTTLS == plan.report().observations[A].stage
    assert plan.report().observations[A].trouble in (Trouble.TLS, Trouble.TIMEOUT, Trouble.DROPPED)
