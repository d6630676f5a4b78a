"""A real name server on loopback, UDP and TCP on one port, that answers for one world.

It answers as a caching resolver would: CNAME chains are followed, RA is set.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv6Address
from typing import NamedTuple, cast

from dnslib import (
    AAAA,
    CLASS,
    CNAME,
    EDNS0,
    MX,
    QTYPE,
    RCODE,
    RR,
    SOA,
    TXT,
    A,
    DNSError,
    DNSRecord,
)

from mailvet.testbed.places import Behaviour, Zone
from mailvet.testbed.world import World

PLAIN_UDP_BYTES = 512
"""The longest answer over UDP without EDNS (RFC 1035 4.2.1)."""
OUR_UDP_BYTES = 1232
"""What we offer in EDNS: fits one unfragmented packet everywhere (DNS flag day 2020)."""
CHAIN_LIMIT = 8
"""CNAME steps followed before the answer goes out as it is: a loop must end."""
CACHE_LIMIT = 100_000
"""Encoded answers kept; a query with random letter case would fill memory otherwise."""
RECEIVE_BYTES = 1 << 20
"""As far as the system grants them: a batch asks about hundreds of domains in one millisecond, and
what is lost is asked again only after seconds."""
PORT_TRIES = 20
"""Free UDP ports tried until one is free over TCP as well."""


class Encoded(NamedTuple):
    """An answer ready to send, without its id; None where nothing is sent."""

    question: tuple[str, str]
    udp: bytes | None
    tcp: bytes | None
    delay_s: float = 0.0
    id_shift: int = 0


class NameServer:
    """Serves one world; `queries` counts questions by (name, type)."""

    def __init__(self, world: World, address: str = "127.0.0.1", port: int = 0) -> None:
        self.queries: Counter[tuple[str, str]] = Counter()
        self.tcp_queries: Counter[tuple[str, str]] = Counter()
        self._zones = _zone_table(world)
        self._parents = {
            name.split(".", depth)[depth]
            for name in self._zones
            for depth in range(1, name.count(".") + 1)
        }
        self._address, self._port = address, port
        self._cache: dict[bytes, Encoded] = {}
        self._udp = _Datagrams(self)
        self._tcp: asyncio.Server | None = None
        self._streams: set[asyncio.StreamWriter] = set()

    @property
    def endpoint(self) -> str:
        """`ADDRESS:PORT`, once started."""
        return f"{self._address}:{self._port}"

    async def start(self) -> None:
        """Bind UDP and TCP on the same port; raises `OSError` when the given port is taken."""
        udp, tcp = _bind_pair(self._address, self._port)
        self._port = udp.getsockname()[1]
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self._udp, sock=udp)
        self._tcp = await asyncio.start_server(self._serve_stream, sock=tcp)

    async def stop(self) -> None:
        """Close both sockets and every open stream."""
        await self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            for stream in list(self._streams):
                stream.close()
            await self._tcp.wait_closed()

    def answer(self, packet: bytes) -> Encoded | None:
        """What is answered to one query packet; None for what is not a DNS query at all."""
        key = packet[2:]
        found = self._cache.get(key)
        if found is None:
            try:
                request = DNSRecord.parse(packet)
            except DNSError:
                return None
            if request.header.qr or not request.questions:
                return None
            found = self._encode(request)
            if len(self._cache) < CACHE_LIMIT:
                self._cache[key] = found
        return found

    def _encode(self, request: DNSRecord) -> Encoded:
        name = str(request.q.qname).rstrip(".").lower()
        kind = str(QTYPE.get(request.q.qtype))
        zone = self._find(name)
        touched = zone is not None and (not zone.only or kind in zone.only)
        behaviour = zone.behaviour if zone is not None and touched else Behaviour.ANSWER
        delay_s = zone.delay_s if zone is not None and touched else 0.0
        if behaviour is Behaviour.TIMEOUT:
            return Encoded((name, kind), None, None)
        reply = self._compose(request, name, kind, behaviour)
        sizes = [int(rr.rclass) for rr in request.ar if rr.rtype == QTYPE.OPT]
        if sizes:
            reply.add_ar(EDNS0(udp_len=OUR_UDP_BYTES))
        udp_limit = max([PLAIN_UDP_BYTES, *sizes])
        whole = bytes(reply.pack())
        short = behaviour is Behaviour.TRUNCATE or len(whole) > udp_limit
        udp = bytes(reply.truncate().pack()) if short else whole
        shift = 1 if behaviour is Behaviour.WRONG_ID else 0
        return Encoded((name, kind), udp[2:], whole[2:], delay_s, shift)

    def _compose(self, request: DNSRecord, name: str, kind: str, behaviour: Behaviour) -> DNSRecord:
        reply = request.reply(ra=1, aa=0)
        codes = {Behaviour.SERVFAIL: RCODE.SERVFAIL, Behaviour.REFUSED: RCODE.REFUSED}
        if behaviour in codes:
            reply.header.rcode = codes[behaviour]
            return reply
        for record in self._chain(name, kind):
            reply.add_answer(record)
        last = str(reply.rr[-1].rdata.label).rstrip(".") if _ends_in_cname(reply) else name
        if behaviour is Behaviour.NXDOMAIN or not self._exists(last):
            reply.header.rcode = RCODE.NXDOMAIN
        if not reply.rr or _ends_in_cname(reply):
            reply.add_auth(_start_of_authority(last))
        return reply

    def _find(self, name: str) -> Zone | None:
        if name in self._zones or name in self._parents:
            return self._zones.get(name)
        labels = name.split(".")
        wild = (".".join(["*", *labels[at:]]) for at in range(1, len(labels)))
        return next((self._zones[name] for name in wild if name in self._zones), None)

    def _exists(self, name: str) -> bool:
        zone = self._find(name)
        if zone is not None:
            return zone.behaviour is not Behaviour.NXDOMAIN
        return name in self._parents

    def _chain(self, name: str, kind: str) -> Iterator[RR]:
        for _ in range(CHAIN_LIMIT):
            zone = self._find(name)
            if zone is None or zone.behaviour is Behaviour.NXDOMAIN:
                return
            if zone.cname is None or kind == "CNAME":
                yield from _records(zone, name, kind)
                return
            yield _record(name, "CNAME", CNAME(zone.cname), zone.ttl_s)
            name = zone.cname

    async def _serve_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._streams.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                packet = await reader.readexactly(length)
                encoded = self.answer(packet)
                if encoded is None:
                    break
                self.queries[encoded.question] += 1
                self.tcp_queries[encoded.question] += 1
                if encoded.tcp is None:
                    continue
                await asyncio.sleep(encoded.delay_s)
                whole = _with_id(packet, encoded.tcp, encoded.id_shift)
                writer.write(len(whole).to_bytes(2, "big") + whole)
                await writer.drain()
        self._streams.discard(writer)
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()

    async def close(self) -> None:
        """Close the socket, and return when it is closed indeed."""
        if self._transport is not None:
            self._transport.close()
            await self._closed.wait()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._closed.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        encoded = self._server.answer(data)
        if encoded is None:
            return
        self._server.queries[encoded.question] += 1
        if encoded.udp is None:
            return
        whole = _with_id(data, encoded.udp, encoded.id_shift)
        if encoded.delay_s:
            asyncio.get_running_loop().call_later(encoded.delay_s, self._send, whole, addr)
        else:
            self._send(whole, addr)

    def _send(self, packet: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet, addr)


def _with_id(packet: bytes, rest: bytes, shift: int) -> bytes:
    if not shift:
        return packet[:2] + rest
    return ((int.from_bytes(packet[:2], "big") + shift) & 0xFFFF).to_bytes(2, "big") + rest


def _ends_in_cname(reply: DNSRecord) -> bool:
    return bool(reply.rr) and reply.rr[-1].rtype == QTYPE.CNAME and reply.q.qtype != QTYPE.CNAME


def _zone_table(world: World) -> dict[str, Zone]:
    """Every name that exists: zones, and hosts with their addresses."""
    table = {zone.domain: zone for zone in world.zones}
    for host in world.hosts:
        zone = table.get(host.name, Zone(domain=host.name))
        if not (zone.a or zone.aaaa or zone.cname):
            v6 = tuple(text for text in host.addresses if ":" in text)
            v4 = tuple(text for text in host.addresses if ":" not in text)
            table[host.name] = replace(zone, a=v4, aaaa=v6)
    return table


def _records(zone: Zone, name: str, kind: str) -> Iterator[RR]:
    if kind == "MX":
        if zone.null_mx:
            yield _record(name, kind, MX(".", 0), zone.ttl_s)
        for mx in zone.mx:
            yield _record(name, kind, MX(mx.host, mx.preference), zone.ttl_s)
    # Octets, not text: dnslib cannot read every spelling of an IPv6 address (RFC 4291 2.2).
    aaaa = [tuple(IPv6Address(text).packed) for text in zone.aaaa]
    makers = {"A": (A, zone.a), "AAAA": (AAAA, aaaa), "TXT": (TXT, zone.txt)}
    if kind in makers:
        make, values = makers[kind]
        for value in values:
            yield _record(name, kind, make(value), zone.ttl_s)
    if kind == "CNAME" and zone.cname is not None:
        yield _record(name, kind, CNAME(zone.cname), zone.ttl_s)


def _record(name: str, kind: str, data: object, ttl_s: int) -> RR:
    return RR(name, getattr(QTYPE, kind), CLASS.IN, ttl_s, data)


def _start_of_authority(name: str) -> RR:
    """The SOA that makes a negative answer cacheable (RFC 2308 3); its last number is the TTL."""
    top = name.rpartition(".")[2]
    return _record(
        top, "SOA", SOA("ns.invalid", "hostmaster.invalid", (1, 3600, 600, 86400, 60)), 60
    )


def _bind_pair(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same port, free for both when `port` is 0."""
    for left in range(PORT_TRIES, 0, -1):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind((address, port))
            tcp.bind((address, udp.getsockname()[1]))
        except OSError:
            udp.close()
            tcp.close()
            if port or left == 1:
                raise
        else:
            return udp, tcp
    raise AssertionError("the last try returns or raises")
