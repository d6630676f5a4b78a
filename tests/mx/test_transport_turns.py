"""Several tries and several name servers, in bounded time and with bounded sockets."""

import asyncio
import contextlib
import gc
import time
from pathlib import Path

import pytest
from dnslib import RCODE, DNSRecord

from mailvet.mx.answer import AnswerKind, RecordType
from mailvet.mx.nameservers import NameServer
from mailvet.mx.transport import DnsTransport
from tests.mx.wire import (
    TRY_S,
    Script,
    WireServer,
    coded,
    cut_bare,
    free_port,
    good,
    silent,
    transport,
)


async def test_silence_is_a_timeout_after_three_tries() -> None:
    """A name server that says nothing is asked three times, then given up in bounded time."""
    async with WireServer(silent) as server:
        begin = time.monotonic()
        answer = await transport(server.port, try_s=0.02)("d.test", RecordType.MX)
        assert 3 == len(server.questions)
    assert AnswerKind.TIMEOUT is answer.kind
    assert time.monotonic() - begin < 1


async def test_the_whole_time_bounds_all_tries() -> None:
    """The total is spent even in the middle of a try."""
    async with WireServer(silent) as server:
        begin = time.monotonic()
        answer = await transport(server.port, timeout_s=0.05, try_s=9)("d.test", RecordType.MX)
        assert 1 == len(server.questions)
    assert AnswerKind.TIMEOUT is answer.kind
    assert time.monotonic() - begin < 1


async def test_a_short_total_leaves_room_to_ask_again() -> None:
    """Unless told otherwise, a try takes a third of the total at most."""
    async with WireServer(silent) as server:
        ask = DnsTransport([NameServer("127.0.0.1", server.port)], timeout_s=0.3)
        assert AnswerKind.TIMEOUT is (await ask("d.test", RecordType.MX)).kind
        assert len(server.questions) > 1


async def test_a_lost_packet_is_asked_again() -> None:
    """The second try's answer counts."""
    lost: list[int] = []

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        if not lost:
            lost.append(question.header.id)
            return []
        return good(question, tcp)

    async with WireServer(script) as server:
        answer = await transport(server.port, try_s=TRY_S)("d.test", RecordType.MX)
    assert AnswerKind.ANSWER is answer.kind


async def test_nobody_there_is_unreachable_at_once() -> None:
    """A closed port is heard of, so no time is spent waiting for it."""
    begin = time.monotonic()
    answer = await transport(free_port(), try_s=9, timeout_s=9)("d.test", RecordType.MX)
    assert AnswerKind.UNREACHABLE is answer.kind
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("first", [silent, coded(RCODE.SERVFAIL), coded(RCODE.REFUSED)])
async def test_another_server_answers_for_one_that_fails(first: Script) -> None:
    """Failures go on to the next name server."""
    async with WireServer(first) as bad, WireServer(good) as well:
        answer = await transport(bad.port, well.port, try_s=TRY_S)("d.test", RecordType.MX)
    assert AnswerKind.ANSWER is answer.kind


async def test_a_dead_server_costs_time_only_once() -> None:
    """After a silence the next question starts with the other name server."""
    async with WireServer(silent) as dead, WireServer(good) as alive:
        ask = transport(dead.port, alive.port, try_s=TRY_S)
        for _ in range(5):
            assert AnswerKind.ANSWER is (await ask("d.test", RecordType.MX)).kind
        assert (1, 5) == (len(dead.questions), len(alive.questions))


async def test_a_failing_server_is_not_asked_the_same_again() -> None:
    """SERVFAIL is an answer of a kind: asking again at once would change nothing (RFC 9520)."""
    async with WireServer(coded(RCODE.SERVFAIL)) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
        assert 1 == len(server.questions)
    assert AnswerKind.SERVFAIL is answer.kind


async def test_the_most_telling_failure_is_the_answer() -> None:
    """SERVFAIL of one server says more than the silence or absence of the others."""
    async with WireServer(silent) as mute, WireServer(coded(RCODE.SERVFAIL)) as failing:
        ask = transport(mute.port, free_port(), failing.port, try_s=0.02)
        assert AnswerKind.SERVFAIL is (await ask("d.test", RecordType.MX)).kind


def _open_sockets() -> int:
    links = (Path("/proc/self/fd").iterdir)()
    return sum(1 for link in links if _is_socket(link))


def _is_socket(link: Path) -> bool:
    with contextlib.suppress(OSError):
        return str(link.readlink()).startswith("socket:")
    return False


async def test_cancelled_and_ended_questions_leave_no_socket() -> None:
    """After answers, silences and cancellations the process holds what it held before."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        name = str(question.q.qname)
        if name.startswith("silent"):
            return []
        return good(question, tcp) if tcp else [cut_bare(question)]

    async with WireServer(script) as server:
        before = _open_sockets()
        ask = transport(server.port, timeout_s=TRY_S)
        names = ["d.test", "silent.test"] * 20
        tasks = [asyncio.create_task(ask(name, RecordType.MX)) for name in names]
        await asyncio.wait(tasks, timeout=TRY_S / 2)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.wait(tasks)
        for _ in range(5):  # streams close in the rounds of the loop that follow
            await asyncio.sleep(0)
        gc.collect()
        assert before >= _open_sockets()
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_questions_in_flight_are_bounded() -> None:
    """A thousand questions at once hold no more sockets than allowed, and all are answered."""
    most = 0

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        nonlocal most
        most = max(most, _open_sockets())
        return good(question, tcp)

    async with WireServer(script) as server:
        before = _open_sockets()
        servers = [NameServer("127.0.0.1", server.port)]
        ask = DnsTransport(servers, max_in_flight=8)
        answers = await asyncio.gather(*(ask(f"d{n}.test", RecordType.MX) for n in range(100)))
    assert {AnswerKind.ANSWER} == {answer.kind for answer in answers}
    # Sockets of answered questions close one round of the loop later.
    assert before < most <= before + 2 * 8
