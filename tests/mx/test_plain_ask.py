"""Plain questions over real sockets: to servers that behave, and to those that do not."""

import asyncio
from collections.abc import Callable

import pytest
from dnslib import RCODE, DNSRecord

from mailvet.mx.answer import AnswerKind, RecordType
from mailvet.mx.nameservers import NameServer
from mailvet.mx.plain_ask import _LANES, _QUESTIONS_A_PORT, PlainAsk
from mailvet.mx.transport import DnsTransport
from tests.mx.test_transport import FORGERIES
from tests.mx.wire import (
    TRY_S,
    WireServer,
    coded,
    cut_bare,
    found,
    free_port,
    good,
    silent,
    transport,
)


class Ports(WireServer):
    """Remembers where questions came from."""

    def __init__(self) -> None:
        super().__init__(good)
        self.ports: list[int] = []

    async def __aenter__(self) -> "Ports":
        await super().__aenter__()
        return self

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.ports.append(addr[1])
        super().datagram_received(data, addr)


def ask_at(*ports: int, timeout_s: float = 9.0, try_s: float = 3.0) -> PlainAsk:
    return PlainAsk(transport(*ports, timeout_s=timeout_s, try_s=try_s))


async def test_a_plain_answer() -> None:
    """One question, one answer, the same as the transport gives."""
    async with WireServer(good) as server:
        assert await transport(server.port)("d.test", RecordType.MX) == await ask_at(server.port)(
            "d.test", RecordType.MX
        )
        assert 2 == len(server.questions)


async def test_many_questions_share_a_few_sockets() -> None:
    """Questions at the same time go through a few ports, each answered for itself."""
    async with Ports() as server:
        ask = ask_at(server.port)
        names = [f"n{number}.test" for number in range(100)]
        replies = await asyncio.gather(*(ask(name, RecordType.MX) for name in names))
    assert names == [reply.records[0].owner for reply in replies]
    assert 1 < len(set(server.ports)) <= _LANES


async def test_at_leisure_every_question_has_a_port() -> None:
    """A socket that waits for nothing is closed, so the next question leaves from another."""
    async with Ports() as server:
        ask = ask_at(server.port)
        for _ in range(8):
            await ask("d.test", RecordType.MX)
    assert len(set(server.ports)) > 4


async def test_a_port_asks_its_share_only() -> None:
    """Under load, too, ports change."""
    async with Ports() as server:
        ask = ask_at(server.port)
        numbers = iter(range((_LANES + 1) * _QUESTIONS_A_PORT))

        async def work() -> None:
            for number in numbers:
                await ask(f"n{number}.test", RecordType.MX)

        await asyncio.gather(*(work() for _ in range(40)))
    assert max(server.ports.count(port) for port in set(server.ports)) <= _QUESTIONS_A_PORT


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forged_packet_brings_no_wrong_answer(forge: Callable[[DNSRecord], bytes]) -> None:
    """Whatever comes before it, the right answer counts."""
    async with WireServer(lambda q, tcp: [forge(q), *good(q, tcp)]) as server:
        answer = await ask_at(server.port)("d.test", RecordType.MX)
    assert ("mx.d.test", 10) == (answer.records[0].value, answer.records[0].preference)


async def test_truncation_is_left_to_the_transport() -> None:
    """TC leads to TCP (RFC 2181 9)."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        return good(question, tcp) if tcp else [cut_bare(question)]

    async with WireServer(script) as server:
        answer = await ask_at(server.port)("d.test", RecordType.MX)
        assert [False, False, True] == server.over_tcp
    assert AnswerKind.ANSWER is answer.kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (RCODE.SERVFAIL, AnswerKind.SERVFAIL),
        (RCODE.REFUSED, AnswerKind.REFUSED),
        (RCODE.FORMERR, AnswerKind.REFUSED),
    ],
)
async def test_failures(code: int, kind: AnswerKind) -> None:
    """What a server fails with is told by the transport, after all its tries."""
    async with WireServer(coded(code)) as server:
        assert kind is (await ask_at(server.port)("d.test", RecordType.MX)).kind


async def test_another_server_after_silence() -> None:
    """A silent server is left for the next one, and later questions start there."""
    async with WireServer(silent) as mute, WireServer(good) as server:
        ask = ask_at(mute.port, server.port, try_s=TRY_S)
        assert AnswerKind.ANSWER is (await ask("d.test", RecordType.MX)).kind
        assert AnswerKind.ANSWER is (await ask("e.test", RecordType.MX)).kind
        assert 1 == len(mute.questions)


async def test_silence_takes_no_longer_than_a_question_may() -> None:
    """The first try counts into the time of the whole question."""
    loop = asyncio.get_running_loop()
    async with WireServer(silent) as server:
        began = loop.time()
        answer = await ask_at(server.port, timeout_s=3 * TRY_S, try_s=TRY_S)("d.test", RecordType.A)
        took_s = loop.time() - began
        assert 3 == len(server.questions)
    assert AnswerKind.TIMEOUT is answer.kind
    assert took_s < 3 * TRY_S + 1


async def test_nobody_listens() -> None:
    """A port where nobody listens says so at once (ICMP)."""
    answer = await ask_at(free_port())("d.test", RecordType.MX)
    assert AnswerKind.UNREACHABLE is answer.kind


async def test_a_cancelled_question_leaves_nothing_behind() -> None:
    """Its socket is closed; an answer that comes late is not seen."""
    asked: asyncio.Queue[None] = asyncio.Queue()

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        asked.put_nowait(None)
        return []

    async with WireServer(script) as server:
        ask = ask_at(server.port)
        task = asyncio.ensure_future(ask("d.test", RecordType.MX))
        await asked.get()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [False] == [lane.usable for lane in ask._lanes]


async def test_names_that_are_not_plain_are_the_transports() -> None:
    """The root's name servers, and names with odd octets, are asked for all the same."""
    async with WireServer(lambda q, tcp: [q.reply().pack()]) as server:
        ask = ask_at(server.port)
        assert AnswerKind.NODATA is (await ask(".", RecordType.NS)).kind
        assert AnswerKind.NODATA is (await ask("a b.test", RecordType.MX)).kind
    assert AnswerKind.NXDOMAIN is (await ask("a..test", RecordType.MX)).kind


async def test_an_ipv6_server() -> None:
    """`::1` is asked over IPv6."""
    async with WireServer(lambda q, tcp: [found(q).pack()], "::1") as server:
        ask = PlainAsk(DnsTransport([NameServer("::1", server.port)]))
        assert AnswerKind.ANSWER is (await ask("d.test", RecordType.MX)).kind
        assert 1 == len(server.questions)
