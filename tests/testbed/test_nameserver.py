"""The name server, asked with dnslib over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSRecord

from mailvet.testbed.nameserver import NameServer
from mailvet.testbed.world import parse_world

WORLD = """
[[zone]]
domain = "plain.test"
mx = ["10 mx.plain.test", "20 mx2.plain.test"]
txt = ["v=spf1 -all"]

[[host]]
name = "mx.plain.test"
addresses = ["127.4.0.1", "::1"]

[[zone]]
domain = "alias.test"
cname = "plain.test"

[[zone]]
domain = "loop.test"
cname = "loop.test"

[[zone]]
domain = "lost-alias.test"
cname = "nowhere.test"

[[zone]]
domain = "nullmx.test"
null_mx = true

[[zone]]
domain = "deep.inside.test"
a = ["127.4.0.9"]

[[zone]]
domain = "*.wild.test"
a = ["127.4.0.8"]

[[zone]]
domain = "many.test"
mx = ["10 mx{0..999}.many.test"]

[[zone]]
domain = "nxdomain.test"
behaviour = "nxdomain"

[[zone]]
domain = "servfail.test"
behaviour = "servfail"

[[zone]]
domain = "refused.test"
behaviour = "refused"

[[zone]]
domain = "timeout.test"
behaviour = "timeout"

[[zone]]
domain = "truncate.test"
mx = ["10 mx.plain.test"]
behaviour = "truncate"

[[zone]]
domain = "forged.test"
behaviour = "wrong_id"

[[zone]]
domain = "half.test"
a = ["127.4.0.7"]
behaviour = "servfail"
only = ["MX"]

[[zone]]
domain = "mapped.test"
aaaa = ["::ffff:10.0.0.1"]

[[zone]]
domain = "slow.test"
a = ["127.4.0.6"]
delay_s = 0.05
"""


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    """A running name server."""
    running = NameServer(parse_world(WORLD))
    await running.start()
    yield running
    await running.stop()


async def ask(server: NameServer, name: str, kind: str, **how: bool) -> DNSRecord:
    """Ask over UDP, or over TCP."""
    query = DNSRecord.question(name, kind)
    if how.get("edns"):
        query.add_ar(EDNS0(udp_len=4096))
    return await send(server, query, tcp=how.get("tcp", False))


async def send(server: NameServer, query: DNSRecord, *, tcp: bool = False) -> DNSRecord:
    """Send one query and read its answer."""
    host, _, port = server.endpoint.partition(":")
    packet = await asyncio.to_thread(query.send, host, int(port), tcp=tcp, timeout=5)
    return DNSRecord.parse(packet)


def values(answer: DNSRecord) -> list[str]:
    """The answer section in presentation form."""
    return [f"{QTYPE.get(rr.rtype)} {rr.rdata}" for rr in answer.rr]


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("name", "kind", "rcode", "answer"),
    [
        ("plain.test", "MX", "NOERROR", ["MX 10 mx.plain.test.", "MX 20 mx2.plain.test."]),
        ("PLAIN.test", "TXT", "NOERROR", ['TXT "v=spf1 -all"']),
        ("mx.plain.test", "A", "NOERROR", ["A 127.4.0.1"]),
        ("mx.plain.test", "AAAA", "NOERROR", ["AAAA ::1"]),
        ("plain.test", "A", "NOERROR", []),
        ("plain.test", "CNAME", "NOERROR", []),
        ("alias.test", "CNAME", "NOERROR", ["CNAME plain.test."]),
        (
            "alias.test",
            "MX",
            "NOERROR",
            ["CNAME plain.test.", "MX 10 mx.plain.test.", "MX 20 mx2.plain.test."],
        ),
        ("loop.test", "MX", "NOERROR", ["CNAME loop.test."] * 8),
        ("lost-alias.test", "MX", "NXDOMAIN", ["CNAME nowhere.test."]),
        ("nullmx.test", "MX", "NOERROR", ["MX 0 ."]),
        ("inside.test", "MX", "NOERROR", []),
        ("nowhere.test", "MX", "NXDOMAIN", []),
        ("any.thing.wild.test", "A", "NOERROR", ["A 127.4.0.8"]),
        ("nxdomain.test", "MX", "NXDOMAIN", []),
        ("servfail.test", "MX", "SERVFAIL", []),
        ("refused.test", "A", "REFUSED", []),
        ("half.test", "MX", "SERVFAIL", []),
        ("half.test", "A", "NOERROR", ["A 127.4.0.7"]),
        ("slow.test", "A", "NOERROR", ["A 127.4.0.6"]),
        ("mapped.test", "AAAA", "NOERROR", ["AAAA ::ffff:a00:1"]),
    ],
)
async def test_questions_are_answered(
    server: NameServer, name: str, kind: str, rcode: str, answer: list[str], tcp: bool
) -> None:
    """Each name says what its zone says, the same over UDP and TCP."""
    got = await ask(server, name, kind, tcp=tcp)
    assert (rcode, answer) == (str(RCODE.get(got.header.rcode)), values(got))
    assert got.header.ra


async def test_negative_answers_carry_a_start_of_authority(server: NameServer) -> None:
    """NODATA and NXDOMAIN can be cached for the time their SOA says (RFC 2308 3)."""
    for name in ("plain.test", "nowhere.test"):
        got = await ask(server, name, "A")
        assert ["SOA"] == [str(QTYPE.get(rr.rtype)) for rr in got.auth]


async def test_a_truncated_zone_is_only_whole_over_tcp(server: NameServer) -> None:
    """UDP says TC and nothing else; TCP says it all."""
    short = await ask(server, "truncate.test", "MX")
    whole = await ask(server, "truncate.test", "MX", tcp=True)
    assert (1, []) == (short.header.tc, values(short))
    assert (0, ["MX 10 mx.plain.test."]) == (whole.header.tc, values(whole))


async def test_a_thousand_records_do_not_fit_over_udp(server: NameServer) -> None:
    """An answer that is too long by nature is truncated too, with EDNS as without."""
    for edns in (False, True):
        assert 1 == (await ask(server, "many.test", "MX", edns=edns)).header.tc
    assert 1000 == len((await ask(server, "many.test", "MX", tcp=True)).rr)


async def test_edns_is_answered_with_edns(server: NameServer) -> None:
    """An OPT record comes back to those who sent one, and to nobody else (RFC 6891 6.1.1)."""
    with_opt = await ask(server, "plain.test", "MX", edns=True)
    without = await ask(server, "plain.test", "MX")
    assert ([QTYPE.OPT], []) == ([rr.rtype for rr in with_opt.ar], without.ar)


async def test_a_forged_answer_has_another_id(server: NameServer) -> None:
    """The id is one off; everything else looks right."""
    query = DNSRecord.question("forged.test", "A")
    assert (query.header.id + 1) % 65536 == (await send(server, query)).header.id


async def test_a_lost_zone_never_answers(server: NameServer) -> None:
    """The question is counted; the next answer on the same socket is to the next question."""
    host, _, port = server.endpoint.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect((host, int(port)))
        client.send(bytes(DNSRecord.question("timeout.test", "MX").pack()))
        client.send(bytes(DNSRecord.question("plain.test", "A").pack()))
        packet = await asyncio.get_running_loop().sock_recv(client, 512)
    assert "plain.test." == str(DNSRecord.parse(packet).q.qname)
    assert 1 == server.queries["timeout.test", "MX"]


async def test_a_lost_zone_never_answers_over_tcp(server: NameServer) -> None:
    """The stream stays open, and the next question on it is answered."""
    reader, writer = await asyncio.open_connection(*server.endpoint.split(":"))
    for name in ("timeout.test", "plain.test"):
        packet = bytes(DNSRecord.question(name, "A").pack())
        writer.write(len(packet).to_bytes(2, "big") + packet)
    length = int.from_bytes(await reader.readexactly(2), "big")
    assert "plain.test." == str(DNSRecord.parse(await reader.readexactly(length)).q.qname)
    writer.close()


async def test_queries_are_counted_by_name_and_type(server: NameServer) -> None:
    """The letter case of a question makes no other name; TCP is counted apart as well."""
    await ask(server, "plain.test", "MX")
    await ask(server, "Plain.Test", "MX")
    await ask(server, "plain.test", "A", tcp=True)
    assert {("plain.test", "MX"): 2, ("plain.test", "A"): 1} == dict(server.queries)
    assert {("plain.test", "A"): 1} == dict(server.tcp_queries)


async def test_what_is_no_query_is_not_answered(server: NameServer) -> None:
    """Rubbish, and answers in place of questions, are dropped."""
    reply = DNSRecord.question("plain.test", "A").reply()
    assert server.answer(b"rubbish") is None
    assert server.answer(bytes(reply.pack())) is None


async def test_a_port_that_was_asked_for_must_be_free(server: NameServer) -> None:
    """A second server on the same port says so instead of taking another."""
    port = int(server.endpoint.partition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await NameServer(parse_world(WORLD), port=port).start()
