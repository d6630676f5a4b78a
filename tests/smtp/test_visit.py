import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mailvet.model.reply import Observation, Stage, Trouble
from mailvet.model.route import Exchanger
from mailvet.smtp import Direction, Identity, Report, VisitLimits, visit
from mailvet.testbed.bed import Testbed
from mailvet.testbed.sessions import Ended
from mailvet.testbed.world import parse_world
from tests.smtp.people import US, envelope, exchanger, mailbox

WORLD = """
[[host]]
name = "mx.good.test"
addresses = ["127.3.0.1"]
domains = ["good.test", "other.test", "bücher.test"]
mailboxes = { users = 30, known = ["jörg", "o'brien+x", "MiXed"] }

[[host]]
name = "mx.closed.test"
addresses = ["127.3.0.2"]
personality = "closed"

[[host]]
name = "mx.listed.test"
addresses = ["127.3.0.3"]
personality = "blocks_at_banner"

[[host]]
name = "mx.mute.test"
addresses = ["127.3.0.4"]
personality = "silent"

[[host]]
name = "mx.deferring.test"
addresses = ["127.3.0.5"]
personality = "rejects_sender"
options = { at = "MAIL", reply = "451 4.3.0 try later" }

[[host]]
name = "mx.particular.test"
addresses = ["127.3.0.6"]
personality = "rejects_sender"
options = { at = "MAIL", reply = "550 5.1.8 no such sender" }

[[host]]
name = "mx.helo.test"
addresses = ["127.3.0.7"]
personality = "rejects_helo"

[[host]]
name = "mx.drops.test"
addresses = ["127.3.0.8"]
personality = "drops"
options = { at = "RCPT" }
domains = ["good.test"]
mailboxes = { users = 30 }

[[host]]
name = "mx.tls.test"
addresses = ["127.3.0.9"]
personality = "insists_on_tls"
extensions = ["PIPELINING", "STARTTLS"]
domains = ["good.test"]
mailboxes = { users = 30 }

[[host]]
name = "mx.endless.test"
addresses = ["127.3.0.10"]
personality = "garbled"
options = { form = "ENDLESS" }

[[host]]
name = "mx.hangs-up.test"
addresses = ["127.3.0.11"]
personality = "hangs_up_on_second"
domains = ["good.test"]
mailboxes = { users = 30 }
"""

GOOD = exchanger("mx.good.test", "127.3.0.1", preference=90)
CLOSED = exchanger("mx.closed.test", "127.3.0.2")
LISTED = exchanger("mx.listed.test", "127.3.0.3")
MUTE = exchanger("mx.mute.test", "127.3.0.4")
DEFERRING = exchanger("mx.deferring.test", "127.3.0.5")
PARTICULAR = exchanger("mx.particular.test", "127.3.0.6")
HELO = exchanger("mx.helo.test", "127.3.0.7")
DROPS = exchanger("mx.drops.test", "127.3.0.8")
TLS = exchanger("mx.tls.test", "127.3.0.9")
ENDLESS = exchanger("mx.endless.test", "127.3.0.10")
HANGS_UP = exchanger("mx.hangs-up.test", "127.3.0.11")

PATIENT = VisitLimits()
IMPATIENT = replace(PATIENT, banner_s=0.6)
"""For a host that says nothing: the others need not be quick with anything else."""

USER, OTHER = mailbox("user1@good.test"), mailbox("user2@good.test")
LETTER = envelope("user1@good.test")


@pytest.fixture
async def bed() -> AsyncIterator[Testbed]:
    async with Testbed(parse_world(WORLD)) as bed:
        yield bed


async def ask(bed: Testbed, *exchangers: Exchanger) -> Report:
    limits = IMPATIENT if MUTE in exchangers else PATIENT
    return await visit(exchangers, [LETTER], identity=US, port=bed.smtp_port, limits=limits)


def shown(seen: Observation) -> tuple[str, str, str]:
    return seen.host, seen.stage, str(seen.reply.code if seen.reply else seen.trouble)


async def test_a_good_host(bed: Testbed) -> None:
    """Everybody is answered in one session, of several domains, and left with QUIT."""
    letters = [
        envelope("user1@good.test", "o'brien+x@good.test", "nobody@good.test", made_up="zz"),
        envelope("user2@other.test", "MiXed@other.test", made_up="zz"),
        envelope("jörg@xn--bcher-kva.test"),
    ]
    report = await visit([GOOD], letters, identity=US, port=bed.smtp_port, limits=PATIENT)
    codes = {each.email: shown(seen)[2] for each, seen in report.observations.items()}
    assert {
        "user1@good.test": "250",
        "o'brien+x@good.test": "250",
        "nobody@good.test": "550",
        "user2@other.test": "250",
        "MiXed@other.test": "250",
        "jörg@xn--bcher-kva.test": "250",
    } == codes
    assert {"good.test": "550", "other.test": "550"} == {
        domain: shown(seen)[2] for domain, seen in report.made_up.items()
    }
    assert (True, True, ()) == (report.connected, report.greeted, report.unasked)
    assert "SMTPUTF8" in report.extensions
    (session,) = bed.sessions.all
    assert (Ended.QUIT, []) == (session.ended, session.faults)


@pytest.mark.parametrize("first", [CLOSED, LISTED, MUTE, DEFERRING, HELO, DROPS, ENDLESS])
async def test_the_next_exchanger_is_asked(bed: Testbed, first: Exchanger) -> None:
    """Where one exchanger cannot or will not say anything of the mailbox, the next one may."""
    report = await ask(bed, first, GOOD)
    assert ("mx.good.test", "RCPT", "250") == shown(report.observations[USER])


async def test_the_next_address_is_asked(bed: Testbed) -> None:
    """Every address of an exchanger is tried, under its name."""
    report = await ask(bed, exchanger("mx.half.test", "127.3.0.2", "127.3.0.1"))
    assert ("mx.half.test", "RCPT", "250") == shown(report.observations[USER])
    assert "127.3.0.1" == report.observations[USER].address


async def test_preference_decides_who_is_first(bed: Testbed) -> None:
    """The lower preference is asked first (RFC 5321 5.1), and who answers is the last."""
    backup = exchanger("mx.closed.test", "127.3.0.2", preference=99)
    report = await ask(bed, backup, GOOD)
    assert "mx.good.test" == report.observations[USER].host


async def test_a_refused_sender_is_final(bed: Testbed) -> None:
    """A permanent refusal of our sender is not carried on to the next exchanger."""
    report = await ask(bed, PARTICULAR, GOOD)
    assert ("mx.particular.test", "MAIL", "550") == shown(report.observations[USER])
    assert 0 == bed.sessions.count["mx.good.test"]


@pytest.mark.parametrize(
    ("expected", "exchangers"),
    [
        (("mx.listed.test", "BANNER", "554"), (LISTED, CLOSED, MUTE)),
        (("mx.listed.test", "BANNER", "554"), (CLOSED, MUTE, LISTED)),
        (("mx.mute.test", "BANNER", "TIMEOUT"), (MUTE, CLOSED)),
        (("mx.drops.test", "RCPT", "DROPPED"), (DROPS, MUTE)),
        (("mx.deferring.test", "MAIL", "451"), (DEFERRING, LISTED)),
        (("mx.closed.test", "CONNECT", "REFUSED"), (CLOSED,)),
    ],
)
async def test_the_most_telling_failure_stands(
    bed: Testbed, expected: tuple[str, str, str], exchangers: tuple[Exchanger, ...]
) -> None:
    """A refusal tells more than a timeout, and that more than a closed port; in any order."""
    report = await ask(bed, *exchangers)
    assert expected == shown(report.observations[USER])


async def test_nothing_is_connected(bed: Testbed) -> None:
    """Where no port is open, that is said of everybody, and that nothing was connected."""
    report = await ask(bed, CLOSED)
    assert (False, False, ()) == (report.connected, report.greeted, report.unasked)


async def test_answers_are_kept_and_the_rest_is_asked_elsewhere(bed: Testbed) -> None:
    """Who was answered before a drop keeps the answer; the others go on at the next address."""
    letters = [envelope("user1@good.test", "user2@good.test", "nobody@good.test")]
    report = await visit([HANGS_UP, GOOD], letters, identity=US, port=bed.smtp_port, limits=PATIENT)
    # 421 is no drop: the host said that it has had enough, and its siblings will too.
    assert ([USER], 1) == (list(report.observations), report.recipients_taken)
    assert 2 == len(report.unasked)
    report = await visit([DROPS, GOOD], letters, identity=US, port=bed.smtp_port, limits=PATIENT)
    assert {"mx.good.test"} == {seen.host for seen in report.observations.values()}
    assert () == report.unasked


async def test_starttls_where_the_host_insists(bed: Testbed) -> None:
    """A host that insists is asked over TLS; nobody looks at its certificate."""
    report = await ask(bed, TLS)
    assert ("mx.tls.test", "RCPT", "250") == shown(report.observations[USER])
    assert (True, True, []) == (
        report.used_starttls,
        bed.sessions.all[-1].tls,
        [fault for one in bed.sessions.all for fault in one.faults],
    )


async def test_no_more_addresses_than_allowed(bed: Testbed) -> None:
    """A long list of dead exchangers is not tried to its end."""
    dead = [exchanger(f"mx{at}.test", f"127.3.1.{at}", preference=at) for at in range(1, 20)]
    report = await ask(bed, *dead, GOOD)
    assert ("mx5.test", "CONNECT", "REFUSED") == shown(report.observations[USER])


async def test_unroutable_addresses_are_not_counted(bed: Testbed) -> None:
    """What cannot be dialled from here costs nothing and keeps nobody from being asked."""
    us = Identity(helo="us.test", source_address="127.0.0.9")
    over_ipv6 = exchanger("mx.v6.test", *(f"2001:db8::{at}" for at in range(1, 9)))
    report = await visit(
        [over_ipv6, GOOD], [LETTER], identity=us, port=bed.smtp_port, limits=PATIENT
    )
    assert ("mx.good.test", "RCPT", "250") == shown(report.observations[USER])
    assert ["127.0.0.9"] == [session.client for session in bed.sessions.all]


async def test_the_visit_has_a_deadline(bed: Testbed) -> None:
    """When time is up, no other address is tried; the clock is the caller's."""
    now = iter(range(0, 100_000, 100))
    report = await visit(
        [CLOSED, GOOD],
        [LETTER],
        identity=US,
        port=bed.smtp_port,
        limits=VisitLimits(visit_s=250, session_s=240),
        clock=lambda: float(next(now)),
    )
    assert ("mx.closed.test", "CONNECT", "REFUSED") == shown(report.observations[USER])


async def test_no_exchangers() -> None:
    """Without anybody to ask, everybody is unreachable."""
    report = await visit([], [LETTER], identity=US)
    assert ("", "CONNECT", "UNREACHABLE") == shown(report.observations[USER])


async def test_a_transcript_when_asked(bed: Testbed) -> None:
    """The report keeps the lines that the callback hears, and none when nobody asks."""
    heard: list[tuple[Direction, str]] = []
    report = await visit(
        [CLOSED, GOOD],
        [LETTER],
        identity=US,
        port=bed.smtp_port,
        on_line=lambda direction, text: heard.append((direction, text)),
        transcript=True,
    )
    assert heard == [tuple(line) for line in report.transcript]
    sent = [line.text for line in report.transcript if line.direction is Direction.SENT]
    assert ["EHLO us.test", "MAIL FROM:<>", "RCPT TO:<user1@good.test>", "QUIT"] == sent
    assert () == (await ask(bed, GOOD)).transcript


async def test_many_visits_at_once_leave_nothing_behind(bed: Testbed) -> None:
    """Visits do not disturb each other, and close every socket."""
    reports = await asyncio.gather(*(ask(bed, DROPS, ENDLESS, GOOD) for _ in range(40)))
    assert {"250"} == {shown(report.observations[USER])[2] for report in reports}
    await asyncio.gather(*(ask(bed, GOOD) for _ in range(2)))
    assert 0 == bed.sessions.open["mx.good.test"]


async def test_a_mailbox_that_is_not_safe_is_never_dialled_for(bed: Testbed) -> None:
    """A mailbox that could say more than itself is our fault, and found before anything is sent."""
    with pytest.raises(AssertionError, match="syntax check"):
        await visit([GOOD], [envelope("a\r\nRSET@good.test")], identity=US, port=bed.smtp_port)
    assert [] == bed.sessions.all


async def test_a_source_address_that_is_not_ours() -> None:
    """What our own kernel refuses is no trouble of the exchanger's."""
    us = Identity(helo="us.test", source_address="192.0.2.77")
    with socket.socket() as probe, pytest.raises(OSError, match=str(errno.EADDRNOTAVAIL)):
        probe.bind(("192.0.2.77", 0))
    report = await visit([GOOD], [LETTER], identity=us, port=9, limits=PATIENT)
    assert (Stage.CONNECT, Trouble.UNREACHABLE) == (
        report.observations[USER].stage,
        report.observations[USER].trouble,
    )
