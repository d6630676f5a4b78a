"""One question over real sockets, to name servers that behave and to those that do not."""

import contextlib
import socket
from collections.abc import Callable, Iterable

import pytest
from dnslib import AAAA, CNAME, NS, QTYPE, RCODE, RR, SOA, A, DNSRecord

from mailvet.mx.answer import AnswerKind, RecordType
from mailvet.mx.nameservers import NameServer
from mailvet.mx.packet import UDP_PAYLOAD_BYTES
from mailvet.mx.transport import DnsTransport
from tests.mx.wire import (
    TRY_S,
    Script,
    WireServer,
    coded,
    cut_bare,
    found,
    free_port,
    good,
    silent,
    transport,
)


def _with_authority(code: int, *records: RR) -> Script:
    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        reply = question.reply(ra=1, aa=0)
        reply.header.rcode = code
        for record in records:
            reply.add_auth(record)
        return [reply.pack()]

    return script


SOA_60 = RR("test", QTYPE.SOA, ttl=90, rdata=SOA("n.test", "h.test", (1, 2, 3, 4, 60)))
DELEGATION = RR("test", QTYPE.NS, ttl=90, rdata=NS("n.test"))


@pytest.mark.parametrize(
    ("script", "kind", "negative_ttl_s"),
    [
        (good, AnswerKind.ANSWER, None),
        (_with_authority(RCODE.NOERROR, SOA_60), AnswerKind.NODATA, 60),
        (_with_authority(RCODE.NOERROR), AnswerKind.NODATA, None),
        (_with_authority(RCODE.NXDOMAIN, SOA_60), AnswerKind.NXDOMAIN, 60),
        (_with_authority(RCODE.NOERROR, DELEGATION), AnswerKind.BROKEN, None),
        (coded(RCODE.SERVFAIL), AnswerKind.SERVFAIL, None),
        (coded(RCODE.REFUSED), AnswerKind.REFUSED, None),
        (coded(RCODE.NOTAUTH), AnswerKind.REFUSED, None),
        (coded(RCODE.FORMERR), AnswerKind.REFUSED, None),
    ],
)
async def test_every_kind_of_answer_is_told_apart(
    script: Script, kind: AnswerKind, negative_ttl_s: int | None
) -> None:
    """Response codes, SOA and delegations end up in one kind each."""
    async with WireServer(script) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
    assert (kind, negative_ttl_s) == (answer.kind, answer.negative_ttl_s)


async def test_records_are_read_with_names_in_lower_case() -> None:
    """Owner, preference, TTL and target come as plain values."""
    async with WireServer(good) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
    [record] = answer.records
    assert ("d.test", RecordType.MX, 60, "mx.d.test", 10) == tuple(record)


async def test_addresses_come_through_aliases() -> None:
    """IPv4 and IPv6 addresses are texts; the aliases before them are kept apart."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        reply = question.reply()
        reply.add_answer(RR("mx.test", QTYPE.CNAME, ttl=5, rdata=CNAME("h.test")))
        reply.add_answer(RR("h.test", QTYPE.A, ttl=6, rdata=A("192.0.2.1")))
        reply.add_answer(RR("h.test", QTYPE.AAAA, ttl=7, rdata=AAAA("2001:db8::1")))
        return [reply.pack()]

    async with WireServer(script) as server:
        ask = transport(server.port)
        v4 = await ask("mx.test", RecordType.A)
        v6 = await ask("mx.test", RecordType.AAAA)
    assert (["192.0.2.1"], ["2001:db8::1"]) == (
        [record.value for record in v4.records],
        [record.value for record in v6.records],
    )
    assert ["h.test"] == [record.value for record in v4.aliases]


async def test_a_question_offers_edns_and_asks_for_recursion() -> None:
    """One question with RD, an OPT record with our payload, and an id that cannot be guessed."""
    async with WireServer(good) as server:
        ask = transport(server.port)
        for _ in range(8):
            await ask("d.test", RecordType.MX)
        questions = [question for question, _ in server.questions]
    assert [1] * 8 == [question.header.rd for question in questions]
    assert [UDP_PAYLOAD_BYTES] * 8 == [question.ar[0].edns_len for question in questions]
    assert len({question.header.id for question in questions}) > 5


def _cut_with_question(question: DNSRecord) -> bytes:
    reply = question.reply()
    reply.header.tc = 1
    return bytes(reply.pack())


def _cut_in_a_record(question: DNSRecord) -> bytes:
    reply = found(question)
    reply.header.tc = 1
    return bytes(reply.pack()[:-3])


@pytest.mark.parametrize("cut", [cut_bare, _cut_with_question, _cut_in_a_record])
async def test_a_truncated_answer_is_asked_again_over_tcp(
    cut: Callable[[DNSRecord], bytes],
) -> None:
    """TC means TCP, however little of the answer came (RFC 2181 9)."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        return good(question, tcp) if tcp else [cut(question)]

    async with WireServer(script) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
        assert [False, True] == server.over_tcp
    assert AnswerKind.ANSWER is answer.kind


@pytest.mark.parametrize(
    "over_tcp",
    [
        lambda question: [],
        lambda question: [b"\0" * 11],
        lambda question: [_cut_with_question(question)],
        lambda question: [DNSRecord.question("other.test", "MX").reply().pack()],
    ],
    ids=["closed", "garbage", "cut", "foreign"],
)
async def test_nonsense_over_tcp_is_broken(
    over_tcp: Callable[[DNSRecord], list[bytes]],
) -> None:
    """A stream that ends early or answers something else says nothing about the name."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        return over_tcp(question) if tcp else [cut_bare(question)]

    async with WireServer(script) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
    assert AnswerKind.BROKEN is answer.kind


@pytest.mark.parametrize("code", [RCODE.FORMERR, RCODE.NOTIMP])
async def test_a_server_without_edns_is_asked_without(code: int) -> None:
    """FORMERR or NOTIMP to a question with OPT leads to one without (RFC 6891 7)."""

    def script(question: DNSRecord, tcp: bool) -> Iterable[bytes]:
        return coded(code)(question, tcp) if question.ar else good(question, tcp)

    async with WireServer(script) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
        assert [1, 0] == [len(question.ar) for question, _ in server.questions]
    assert AnswerKind.ANSWER is answer.kind


def _wrong_id(question: DNSRecord) -> bytes:
    forged = found(question)
    forged.header.id ^= 1
    return bytes(forged.pack())


def _wrong_name(question: DNSRecord) -> bytes:
    forged = DNSRecord.question("e.test", "MX")
    forged.header.id = question.header.id
    return bytes(found(forged).pack())


def _wrong_type(question: DNSRecord) -> bytes:
    forged = DNSRecord.question("d.test", "A")
    forged.header.id = question.header.id
    return bytes(forged.reply().pack())


FORGERIES: list[Callable[[DNSRecord], bytes]] = [
    _wrong_id,
    _wrong_name,
    _wrong_type,
    lambda question: bytes(question.pack()),
    lambda question: b"",
    lambda question: b"\xff" * 40,
    lambda question: bytes(found(question).pack()[:-3]),
    lambda question: bytes(found(question).pack() + b"more"),
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forged_packet_is_not_seen(forge: Callable[[DNSRecord], bytes]) -> None:
    """Another id, name or type, a query, garbage: the right answer behind it counts."""
    async with WireServer(lambda q, tcp: [forge(q), *good(q, tcp)]) as server:
        answer = await transport(server.port)("d.test", RecordType.MX)
        assert 1 == len(server.questions)
    assert AnswerKind.ANSWER is answer.kind


async def test_a_packet_from_another_source_is_not_seen() -> None:
    """An answer that comes from another port than it was asked at is dropped (RFC 5452 9.1)."""
    forger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent: list[int] = []

    class Server(WireServer):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            sent.append(forger.sendto(found(DNSRecord.parse(data)).pack(), addr))

    with contextlib.closing(forger):
        async with Server(silent) as server:
            answer = await transport(server.port, timeout_s=TRY_S)("d.test", RecordType.MX)
    assert 1 == len(sent)
    assert AnswerKind.TIMEOUT is answer.kind


@pytest.mark.parametrize("name", ["a" * 64 + ".test", "a..test", ".".join(["a" * 60] * 5)])
async def test_a_name_that_fits_no_question_does_not_exist(name: str) -> None:
    """RFC 1035 2.3.4: such a name cannot be in DNS, and nobody is asked."""
    assert AnswerKind.NXDOMAIN is (await transport(free_port())(name, RecordType.MX)).kind


async def test_a_name_server_may_have_an_ipv6_address() -> None:
    """`::1` is asked over IPv6, UDP and TCP."""

    def script(question: DNSRecord, tcp: bool) -> list[bytes]:
        return good(question, tcp) if tcp else [cut_bare(question)]

    async with WireServer(script, "::1") as server:
        ask = DnsTransport([NameServer("::1", server.port)])
        assert AnswerKind.ANSWER is (await ask("d.test", RecordType.MX)).kind


def test_a_transport_needs_a_server() -> None:
    """Without a name server nothing could be asked."""
    with pytest.raises(ValueError, match="no name server"):
        DnsTransport([])
