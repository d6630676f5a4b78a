"""Packets read by hand, held to dnspython: the same answer, or none at all."""

import struct
from collections.abc import Callable

import dns.message
import pytest
from dnslib import AAAA, CNAME, EDNS0, MX, NS, QTYPE, RR, SOA, TXT, A, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from mailvet.mx.answer import Answer, AnswerKind, RecordType
from mailvet.mx.packet import Asked, answers, pack, query_of, unpack
from mailvet.mx.transport import _matching, _read

NUMBER = 0xBEEF
NAME = "d.test"
RDTYPES = (RecordType.MX, RecordType.A, RecordType.AAAA)


def asked_for(rdtype: RecordType, name: str = NAME) -> Asked:
    asked = pack(name, rdtype)
    assert asked is not None
    return asked


def reply_to(asked: Asked) -> DNSRecord:
    return DNSRecord.parse(query_of(asked, NUMBER)).reply(ra=1, aa=0)


def oracle(packet: bytes, asked: Asked) -> Answer | None:
    """What dnspython makes of a packet; None when it does not take it for an answer."""
    query = dns.message.from_wire(query_of(asked, NUMBER))
    response = _matching(packet, query)
    return None if response is None else _read(response, asked.name, asked.rdtype)


def by_hand(packet: bytes, asked: Asked) -> Answer | None:
    """As `plain_ask` reads it."""
    if packet[:2] != NUMBER.to_bytes(2, "big") or not answers(packet, asked):
        return None
    return unpack(packet, asked)


def mx(reply: DNSRecord) -> None:
    for preference, host in ((10, "mx1.d.test"), (20, "MX2.other.test")):
        reply.add_answer(RR(NAME, QTYPE.MX, ttl=60, rdata=MX(host, preference)))


def null_mx(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.MX, ttl=60, rdata=MX(".", 0)))


def mx_with_addresses(reply: DNSRecord) -> None:
    mx(reply)
    reply.add_auth(RR("test", QTYPE.NS, ttl=60, rdata=NS("ns.test")))
    reply.add_ar(RR("mx1.d.test", QTYPE.A, ttl=60, rdata=A("192.0.2.1")))
    reply.add_ar(RR("mx1.d.test", QTYPE.AAAA, ttl=60, rdata=AAAA("2001:db8::1")))


def addresses(reply: DNSRecord) -> None:
    for last in range(3):
        reply.add_answer(RR(NAME, QTYPE.A, ttl=60, rdata=A(f"192.0.2.{last}")))


def ipv6(reply: DNSRecord) -> None:
    for text in ("2001:db8::1", "2001:db8:0:1:0:0:0:1", "fe80::"):
        reply.add_answer(RR(NAME, QTYPE.AAAA, ttl=60, rdata=AAAA(text)))


def alias(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.CNAME, ttl=5, rdata=CNAME("a.test")))
    reply.add_answer(RR("a.test", QTYPE.CNAME, ttl=6, rdata=CNAME("b.test")))
    reply.add_answer(RR("b.test", QTYPE.A, ttl=7, rdata=A("192.0.2.1")))


def alias_only(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.CNAME, ttl=5, rdata=CNAME("a.test")))


def no(reply: DNSRecord) -> None:
    soa = SOA("ns.test", "hostmaster.test", (1, 2, 3, 4, 60))
    reply.add_auth(RR("test", QTYPE.SOA, ttl=90, rdata=soa))


def no_domain(reply: DNSRecord) -> None:
    no(reply)
    reply.header.rcode = 3


def nothing(reply: DNSRecord) -> None:
    pass


PLAIN = [mx, null_mx, mx_with_addresses, addresses, ipv6, alias, alias_only, no, no_domain, nothing]
RIGHT_TYPE: dict[Callable[[DNSRecord], None], RecordType] = {
    mx: RecordType.MX,
    null_mx: RecordType.MX,
    mx_with_addresses: RecordType.MX,
    ipv6: RecordType.AAAA,
}


@pytest.mark.parametrize("fill", PLAIN)
@pytest.mark.parametrize("edns", [True, False])
def test_plain_answers_are_read_by_hand(fill: Callable[[DNSRecord], None], edns: bool) -> None:
    """What name servers mostly say is read without the library, and to the same answer."""
    asked = asked_for(RIGHT_TYPE.get(fill, RecordType.A))
    reply = reply_to(asked)
    fill(reply)
    if edns:
        reply.add_ar(EDNS0(udp_len=1232))
    packet = bytes(reply.pack())
    answer = by_hand(packet, asked)
    assert answer is not None
    assert oracle(packet, asked) == answer


def delegation(reply: DNSRecord) -> None:
    reply.add_auth(RR("test", QTYPE.NS, ttl=60, rdata=NS("ns.test")))


def text(reply: DNSRecord) -> None:
    addresses(reply)
    reply.add_answer(RR(NAME, QTYPE.TXT, ttl=60, rdata=TXT("hello")))


def twice(reply: DNSRecord) -> None:
    addresses(reply)
    addresses(reply)


def two_ttls(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.A, ttl=60, rdata=A("192.0.2.1")))
    reply.add_answer(RR(NAME, QTYPE.A, ttl=50, rdata=A("192.0.2.2")))


def foreign(reply: DNSRecord) -> None:
    reply.add_answer(RR("e.test", QTYPE.A, ttl=60, rdata=A("192.0.2.1")))


def loop(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.CNAME, ttl=5, rdata=CNAME("a.test")))
    reply.add_answer(RR("a.test", QTYPE.CNAME, ttl=5, rdata=CNAME(NAME)))


def mapped(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.AAAA, ttl=60, rdata=AAAA("::ffff:c000:201")))


def odd_host(reply: DNSRecord) -> None:
    reply.add_answer(RR(NAME, QTYPE.MX, ttl=60, rdata=MX("m x.d.test", 1)))


def failed(reply: DNSRecord) -> None:
    reply.header.rcode = 2


def cut(reply: DNSRecord) -> None:
    addresses(reply)
    reply.header.tc = 1


def two_questions(reply: DNSRecord) -> None:
    addresses(reply)
    reply.questions.append(reply.questions[0])


@pytest.mark.parametrize(
    "fill",
    [delegation, text, twice, two_ttls, foreign, loop, odd_host, failed, cut, two_questions],
)
def test_the_rest_is_left_to_the_library(fill: Callable[[DNSRecord], None]) -> None:
    """What is rare, incomplete or wrong is not read by hand."""
    asked = asked_for(RecordType.MX if fill is odd_host else RecordType.A)
    reply = reply_to(asked)
    fill(reply)
    assert by_hand(bytes(reply.pack()), asked) is None


def test_ipv4_in_ipv6_is_left_to_the_library() -> None:
    """Addresses that have several spellings are spelt by the library only."""
    asked = asked_for(RecordType.AAAA)
    reply = reply_to(asked)
    mapped(reply)
    assert by_hand(bytes(reply.pack()), asked) is None


def test_a_question_is_what_the_library_would_ask() -> None:
    """The packed query has the same question, flag and EDNS as dnspython's."""
    for rdtype in RDTYPES:
        query = dns.message.from_wire(query_of(asked_for(rdtype), NUMBER))
        expected = dns.message.make_query(NAME, rdtype.name, use_edns=0, payload=1232)
        expected.id = NUMBER
        assert expected.to_wire() == query.to_wire()


@pytest.mark.parametrize(
    ("name", "rdtype"),
    [
        (".", RecordType.A),
        ("", RecordType.A),
        ("a..test", RecordType.A),
        ("a" * 64 + ".test", RecordType.A),
        (".".join(["a" * 49] * 6), RecordType.A),
        ("D.test", RecordType.A),
        ("a b.test", RecordType.A),
        ("ü.test", RecordType.A),
        ("d.test\n", RecordType.A),
        ("d.test", RecordType.NS),
    ],
)
def test_what_is_not_packed(name: str, rdtype: RecordType) -> None:
    """Names and types that are not plain are the library's."""
    assert pack(name, rdtype) is None


def test_pointers_go_backwards_only() -> None:
    """A name that points at itself, forwards or into the header ends at once, unread."""
    asked = asked_for(RecordType.A)
    for target in (0, 11, 24, 25, 40, 0x3FFF):
        head = struct.pack(">HHHHHH", NUMBER, 0x8180, 1, 1, 0, 0)
        record = struct.pack(">HHHIH", 0xC000 | target, 1, 1, 60, 4) + b"\1\2\3\4"
        assert by_hand(head + asked.section + record, asked) is None


@pytest.mark.parametrize("label", [b"mx", b"MX_1", b"a b", b"", b"a.b", b"x" * 63])
def test_an_exchanger_beside_the_question(label: bytes) -> None:
    """One label and a pointer to anywhere is read as the library reads it, or left to it."""
    asked = asked_for(RecordType.MX, "mail.d.example.test")
    head = struct.pack(">HHHHHH", NUMBER, 0x8180, 1, 1, 0, 0)
    read = 0
    for target in range(12 + len(asked.section) + 4):
        data = b"\0\x0a" + bytes([len(label)]) + label + struct.pack(">H", 0xC000 | target)
        record = struct.pack(">HHHIH", 0xC00C, 15, 1, 60, len(data)) + data
        packet = head + asked.section + record
        found = by_hand(packet, asked)
        assert found is None or found == oracle(packet, asked)
        read += found is not None
    is_plain = label in (b"mx", b"MX_1", b"x" * 63)
    assert read >= 4 if is_plain else not read  # at least at each label of the name


@st.composite
def packets(draw: st.DrawFn) -> tuple[bytes, Asked]:
    """Real packets with some bytes changed, cut, added or moved."""
    asked = asked_for(draw(st.sampled_from(RDTYPES)))
    reply = reply_to(asked)
    for fill in draw(st.lists(st.sampled_from([*PLAIN, two_ttls, twice, loop, text]), max_size=2)):
        fill(reply)
    if draw(st.booleans()):
        reply.add_ar(EDNS0(udp_len=1232))
    packet = bytearray(reply.pack())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(2, len(packet) - 1))
        kind = draw(st.sampled_from(["set", "flip", "cut", "add", "count"]))
        if kind == "set":
            packet[at] = draw(st.integers(0, 255))
        elif kind == "flip":
            packet[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del packet[at : at + draw(st.integers(1, 4))]
        elif kind == "add":
            packet[at:at] = draw(st.binary(min_size=1, max_size=4))
        else:
            packet[draw(st.sampled_from([5, 7, 9, 11]))] = draw(st.integers(0, 3))
        if len(packet) < 3:
            break
    return bytes(packet), asked


@given(packets())
def test_never_another_answer_than_the_library(pair: tuple[bytes, Asked]) -> None:
    """Whatever comes, it is read as dnspython reads it, or not at all."""
    packet, asked = pair
    answer = by_hand(packet, asked)
    if answer is not None:
        assert oracle(packet, asked) == answer
        assert not answer.kind.is_temporary


@given(st.binary(max_size=80))
def test_garbage_is_never_an_answer(garbage: bytes) -> None:
    """Bytes by chance behind a right header and question give nothing by hand alone."""
    asked = asked_for(RecordType.MX)
    packet = struct.pack(">HHHHHH", NUMBER, 0x8180, 1, 1, 0, 0) + asked.section + garbage
    answer = by_hand(packet, asked)
    assert answer is None or (oracle(packet, asked) == answer and answer.kind is AnswerKind.ANSWER)
