"""The bare driver against the one over aiosmtplib: whatever a host does, both report the same."""

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.reply import Observation
from mailvet.smtp import Report, VisitLimits
from mailvet.smtp.framing import GatedProtocol
from mailvet.smtp.plain_session import PlainSession
from mailvet.smtp.plan import Plan
from mailvet.smtp.session import Session
from mailvet.testbed.bed import Testbed
from mailvet.testbed.personalities import PERSONALITIES
from mailvet.testbed.world import parse_world
from tests.smtp.drivers import DRIVERS, Driver, settings
from tests.smtp.people import US, envelope

KINDS = [
    *PERSONALITIES,
    *(f"garbled form={form}" for form in ("ENDLESS", "LONG_LINE", "BINARY", "CODES_DIFFER")),
    "garbled form=NO_LINE_END",
    *(f"drops at={step}" for step in ("BANNER", "EHLO", "MAIL", "RCPT")),
    "drops answers=true",
    "drops answers=true at=EHLO",
    "tarpit delay_s=9.0 strangers_only=true",
    "max_recipients limit=2",
]
"""Personalities with options, as `name option=value ...`."""
LIMITS = replace(VisitLimits().scaled(0.05), connect_s=10.0, quit_s=1.0)
"""Short for hosts that stall; none of the others takes a tenth of it, and all can be reached."""
ENVELOPES = [
    envelope("user1@left.test", "nobody@left.test", "user2@left.test", made_up="zz"),
    envelope("user3@right.test", "nobody2@right.test", made_up="zz"),
    envelope("jörg@left.test"),
]


@pytest.fixture(autouse=True)
def _no_long_collections() -> Iterator[None]:
    """What thousands of tests before have left is not looked through while hosts are timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def _option(text: str) -> str:
    name, _, value = text.partition("=")
    return f"{name} = {value}" if value[0] in "tf0123456789" else f'{name} = "{value}"'


def _world(extensions: str) -> str:
    hosts = []
    for number, kind in enumerate(KINDS):
        name, *options = kind.split()
        hosts.append(
            f"""
            [[host]]
            name = "mx{number}.test"
            addresses = ["127.3.7.{number + 1}"]
            personality = "{name}"
            domains = ["left.test", "right.test"]
            mailboxes = {{ users = 9 }}
            extensions = {extensions}
            options = {{ {", ".join(map(_option, options))} }}
            """
        )
    return "".join(hosts)


async def _reports(driver: Driver, bed: Testbed, *, pipelining: bool) -> list[tuple[object, ...]]:
    """What the driver brings from every host, with what was said on the way."""
    bed.reset()

    async def meet(address: str) -> tuple[object, ...]:
        plan = Plan(US, ENVELOPES, host="mx", address=address, pipelining=pipelining)
        lines: list[str] = []
        await driver(plan, address, bed.smtp_port, LIMITS, lines)
        return plan.report(), plan.try_next, lines

    hosts = bed.world.hosts
    return await asyncio.gather(*(meet(host.addresses[0]) for host in hosts))


def _unoffered(bed: Testbed) -> list[str]:
    faults = [fault for session in bed.sessions.all for fault in session.faults]
    return [fault for fault in faults if "pipelined" in fault or "spoke" in fault]


@pytest.mark.parametrize(
    "extensions", ['["PIPELINING", "STARTTLS"]', '["STARTTLS"]', '["PIPELINING", "SMTPUTF8"]']
)
async def test_every_personality_is_reported_alike(extensions: str) -> None:
    """One command at a time, both drivers say, hear and report exactly the same."""
    async with Testbed(parse_world(_world(extensions))) as bed:
        library = await _reports(DRIVERS["library"], bed, pipelining=False)
        bare = await _reports(DRIVERS["bare"], bed, pipelining=False)
        assert [] == _unoffered(bed)
    for kind, expected, found in zip(KINDS, library, bare, strict=True):
        assert (kind, *expected) == (kind, *found)


def _said(seen: Observation) -> tuple[object, ...]:
    return seen.stage, seen.reply, seen.trouble


def _agree(strict: Report, grouped: Report) -> bool:
    """Whether nobody was told something else; who was not asked in one may be in the other."""
    pairs = [
        (strict.observations[each], grouped.observations[each])
        for each in strict.observations.keys() & grouped.observations.keys()
    ] + [
        (strict.made_up[domain], grouped.made_up[domain])
        for domain in strict.made_up.keys() & grouped.made_up.keys()
    ]
    return all(_said(one) == _said(other) for one, other in pairs)


async def test_groups_bring_the_same_answers() -> None:
    """Whoever is asked both ways is answered the same, and no host sees a group unoffered."""
    async with Testbed(parse_world(_world('["PIPELINING", "SMTPUTF8"]'))) as bed:
        strict = await _reports(DRIVERS["library"], bed, pipelining=False)
        grouped = await _reports(DRIVERS["bare"], bed, pipelining=True)
        assert [] == _unoffered(bed)
    for kind, one, other in zip(KINDS, strict, grouped, strict=True):
        assert isinstance(one[0], Report)
        assert isinstance(other[0], Report)
        assert (kind, True) == (kind, _agree(one[0], other[0]))


async def test_a_group_is_one_write() -> None:
    """Where PIPELINING is offered, everything behind EHLO travels together."""
    said = b"250 a\r\n" * 3 + b"221 bye\r\n"
    wire = _Wire([b"220 mx\r\n", b"250-mx\r\n250 PIPELINING\r\n", said])
    plan = Plan(US, [envelope("a@x.test", made_up="zz")], pipelining=True)
    await wire.play_bare(plan, [])
    assert [
        b"EHLO us.test\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<zz@x.test>\r\nQUIT\r\n",
    ] == wire.written


class _Wire(asyncio.Transport):
    """A host on no network: after every write it says the next of its pieces, bit by bit."""

    def __init__(self, pieces: list[bytes], cuts: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._pieces = pieces
        self._cuts = cuts
        self._at = 0
        self._protocol: asyncio.Protocol | None = None
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    has_unsent = False

    async def play_bare(self, plan: Plan, lines: list[str]) -> None:
        session = PlainSession(plan, **settings("", 0, VisitLimits(), lines))
        session._ends_at = session._clock() + 99
        await self._play(_AsProtocol(session), plan)

    async def play_library(self, plan: Plan, lines: list[str]) -> None:
        session = Session(plan, **settings("", 0, VisitLimits(), lines))
        session._ends_at = session._clock() + 99
        protocol = GatedProtocol()
        protocol.connection_made(self)
        task = asyncio.ensure_future(session._converse(protocol))
        await self._play(protocol, plan, made=True)
        await task

    async def _play(self, protocol: asyncio.Protocol, plan: Plan, *, made: bool = False) -> None:
        if not made:
            protocol.connection_made(self)
        for number, piece in enumerate(self._pieces):
            await self._say(protocol, piece)
            if plan.done or len(self.written) <= number:
                break
        if not plan.done:
            self._closing = True
            protocol.eof_received()
            protocol.connection_lost(None)
            await _settle()

    async def _say(self, protocol: asyncio.Protocol, piece: bytes) -> None:
        begin = 0
        for end in [
            *(at for at in range(1, len(piece)) if self._at + at in self._cuts),
            len(piece),
        ]:
            if not self._closing:
                protocol.data_received(piece[begin:end])
            begin = end
            await _settle()
        self._at += len(piece)


class _AsProtocol(asyncio.Protocol):
    """A session that thinks this host is at the end of a wire."""

    def __init__(self, session: PlainSession) -> None:
        self.connection_made = session.connection_made  # type: ignore[method-assign, assignment]
        self.data_received = session.data_received  # type: ignore[method-assign]
        self.connection_lost = session.connection_lost  # type: ignore[method-assign]


async def _settle() -> None:
    """Let everybody do what can be done now."""
    for _ in range(12):
        await asyncio.sleep(0)


lines_said = st.sampled_from(
    [
        b"250 Ok\r\n",
        b"250-mx\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n",
        b"250-mx\r\n250 STARTTLS\r\n",
        b"550 5.1.1 no\r\n",
        b"550-5.1.1 no\r\n550 5.1.1 really\r\n",
        b"452 4.5.3 too many recipients\r\n",
        b"421 4.7.0 bye\r\n",
        b"550 Empf\xe4nger\r\n",
        "550 Empfänger \u202e\r\n".encode(),
        b"250\r\n",
        b"250-\r\n250 x \t\r\n",
        b"250 bare\n",
        b"251 " + b"y" * 300 + b"\r\n",
        b"250 " + b"y" * 8190 + b"\r\n",
        b"250-" + b"y" * 4000 + b"\r\n250 z\r\n",
        b"25",
        b"250-one\r\n550 two\r\n",
        b"what?\r\n",
        b"250-lots\r\n" * 3600 + b"250 end\r\n",
    ]
)
pieces_said = st.lists(
    st.lists(lines_said, min_size=1, max_size=2).map(b"".join)
    | lines_said
    | st.binary(max_size=12),
    max_size=7,
)


@given(pieces_said, st.frozensets(st.integers(0, 200), max_size=12))
def test_any_bytes_in_any_slices_are_reported_alike(
    pieces: list[bytes], cuts: frozenset[int]
) -> None:
    """Whatever a host says, and however the network cuts it, both drivers report the same."""

    async def play() -> None:
        brought = []
        for way in (_Wire.play_library, _Wire.play_bare):
            wire = _Wire([b"220 mx\r\n", b"250-mx\r\n250 SIZE\r\n", *pieces], cuts)
            plan = Plan(US, [envelope("a@x.test", "b@x.test", made_up="zz"), envelope("c@y.test")])
            lines: list[str] = []
            await way(wire, plan, lines)
            brought.append((plan.report(), wire.written, lines))
        assert brought[0] == brought[1]

    asyncio.run(play())
