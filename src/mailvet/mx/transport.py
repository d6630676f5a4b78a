"""How one question travels: UDP with EDNS, TCP when it does not fit, several name servers.

Each try has a socket, a source port and a random id of its own (RFC 5452); an answer with
another id, question or source is not seen at all.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from mailvet.mx.answer import Answer, AnswerKind, Message, Record, RecordType, understand
from mailvet.mx.nameservers import NameServer
from mailvet.mx.packet import UDP_PAYLOAD_BYTES

TRY_TIMEOUT_S = 2.0
"""A recursive server that works answers in well under a second; a lost packet costs one try."""

ROUNDS = 3
"""How often a silent name server is asked the same: a loss of 1 in 10 becomes 1 in 1,000."""

MAX_IN_FLIGHT = 256
"""Each question in flight holds a socket: a quarter of the usual limit of 1,024 open files."""

_MOST_TELLING_FIRST = (
    AnswerKind.SERVFAIL,
    AnswerKind.REFUSED,
    AnswerKind.BROKEN,
    AnswerKind.TIMEOUT,
    AnswerKind.UNREACHABLE,
)

# How servers that do not know EDNS answer it (RFC 6891 7).
_NO_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})

# dnspython leaves the asyncio backend's methods without types.
_BACKEND: Any = dns.asyncbackend.get_backend("asyncio")

_RECORD_TYPES = {int(rdtype): rdtype for rdtype in RecordType}


class DnsTransport:
    """Asks name servers in turn; an `Ask` over the network.

    `timeout_s` bounds one question with all its tries. A server that says nothing is asked again
    in the next round, and later questions start with another one; a server that fails (SERVFAIL,
    REFUSED, nonsense) is not asked the same again. When all fail, each in its way, the most
    telling failure is the answer.
    """

    def __init__(
        self,
        servers: Sequence[NameServer],
        *,
        timeout_s: float = 5.0,
        try_timeout_s: float | None = None,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        if not servers:
            raise ValueError("there is no name server to ask")
        self._servers = tuple(servers)
        self._timeout_s = timeout_s
        # Also a short total leaves room to ask again after a lost packet.
        self.try_timeout_s = try_timeout_s or min(TRY_TIMEOUT_S, timeout_s / ROUNDS)
        self._room = asyncio.Semaphore(max_in_flight)
        self._first = 0

    @property
    def first(self) -> NameServer:
        """The server that is asked first, as long as it answers."""
        return self._servers[self._first]

    async def __call__(self, name: str, rdtype: RecordType) -> Answer:
        """Return the answer of the first name server that has one; see `mx.answer.Ask`."""
        return await self.ask(name, rdtype)

    async def ask(self, name: str, rdtype: RecordType, *, spent_s: float = 0.0) -> Answer:
        """As a call; `spent_s` of the question's time are gone already, without an answer."""
        try:
            asked = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            # RFC 1035 2.3.4: what fits no question (labels empty or too long) has no records.
            return Answer(AnswerKind.NXDOMAIN)
        async with self._room:
            return await self._ask_in_turn(asked, name, rdtype, self._timeout_s - spent_s)

    async def _ask_in_turn(
        self, asked: dns.name.Name, name: str, rdtype: RecordType, timeout_s: float
    ) -> Answer:
        deadline = time.monotonic() + timeout_s
        silent = self._servers[self._first :] + self._servers[: self._first]
        failures: list[AnswerKind] = []
        for _ in range(ROUNDS):
            for server in silent:
                try_s = min(deadline - time.monotonic(), self.try_timeout_s)
                if try_s <= 0:
                    return _most_telling(failures)
                response = await _try(server, asked, rdtype, try_s)
                answer = _read(response, name, rdtype)
                if not answer.kind.is_temporary:
                    return answer
                failures.append(answer.kind)
                self.note(server, answer.kind)
                if answer.kind is not AnswerKind.TIMEOUT:
                    silent = tuple(other for other in silent if other is not server)
        return _most_telling(failures)

    def note(self, server: NameServer, failure: AnswerKind) -> None:
        """Let later questions start with another server while this one is not there."""
        at = self._servers.index(server)
        if at == self._first and failure in (AnswerKind.TIMEOUT, AnswerKind.UNREACHABLE):
            self._first = (at + 1) % len(self._servers)


def _most_telling(failures: list[AnswerKind]) -> Answer:
    return Answer(min(failures, key=_MOST_TELLING_FIRST.index, default=AnswerKind.TIMEOUT))


async def _try(
    server: NameServer, asked: dns.name.Name, rdtype: RecordType, timeout_s: float
) -> dns.message.Message | AnswerKind:
    """One server's response, or how it failed to give one."""
    try:
        async with asyncio.timeout(timeout_s):
            response = await _exchange(server, _query(asked, rdtype, edns=True))
            if response.rcode() in _NO_EDNS:
                response = await _exchange(server, _query(asked, rdtype, edns=False))
            return response
    except TimeoutError:
        return AnswerKind.TIMEOUT
    except (dns.exception.DNSException, EOFError, ValueError):
        return AnswerKind.BROKEN
    except OSError:
        return AnswerKind.UNREACHABLE


def _query(asked: dns.name.Name, rdtype: RecordType, *, edns: bool) -> dns.message.Message:
    return dns.message.make_query(
        asked, rdtype.name, use_edns=0 if edns else False, payload=UDP_PAYLOAD_BYTES
    )


async def _exchange(server: NameServer, query: dns.message.Message) -> dns.message.Message:
    response = await _over_udp(server, query)
    if response.flags & dns.flags.TC:
        return await dns.asyncquery.tcp(query, server.host, port=server.port, backend=_BACKEND)
    return response


async def _over_udp(server: NameServer, query: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    # A connected socket hears one source only, and that nobody listens there (ICMP).
    transport, inbox = await loop.create_datagram_endpoint(
        lambda: _Inbox(query, loop.create_future()), remote_addr=(server.host, server.port)
    )
    try:
        transport.sendto(query.to_wire())
        return await inbox.response
    finally:
        transport.close()


class _Inbox(asyncio.DatagramProtocol):
    """Waits for the one datagram that answers the query."""

    def __init__(
        self, query: dns.message.Message, response: "asyncio.Future[dns.message.Message]"
    ) -> None:
        self._query = query
        self.response = response

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - connected
        response = _matching(data, self._query)
        if response is not None and not self.response.done():
            self.response.set_result(response)

    def error_received(self, exc: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(exc)


def _matching(packet: bytes, query: dns.message.Message) -> dns.message.Message | None:
    """The packet as a response to the query; None for everything else (RFC 5452 9.1)."""
    response = _decoded(packet)
    if response is None or not (_is_bare_cut(response, query) or query.is_response(response)):
        return None
    return response


def _decoded(packet: bytes) -> dns.message.Message | None:
    try:
        return dns.message.from_wire(packet, raise_on_truncation=True)
    except dns.message.Truncated as cut:
        return cut.message()  # type: ignore[no-untyped-call, no-any-return]
    except (dns.exception.DNSException, ValueError):
        return None


def _is_bare_cut(response: dns.message.Message, query: dns.message.Message) -> bool:
    # Nothing is read of a cut answer but "ask over TCP", so it may come without the question.
    wanted = dns.flags.QR | dns.flags.TC
    return response.id == query.id and response.flags & wanted == wanted and not response.question


def _read(response: dns.message.Message | AnswerKind, name: str, rdtype: RecordType) -> Answer:
    if isinstance(response, AnswerKind):
        return Answer(response)
    if response.flags & dns.flags.TC:
        return Answer(AnswerKind.BROKEN)  # cut even over TCP
    code = response.rcode()
    if code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return understand(name, rdtype, _message(response))
    if code == dns.rcode.SERVFAIL:
        return Answer(AnswerKind.SERVFAIL)
    return Answer(AnswerKind.REFUSED)


def _message(response: dns.message.Message) -> Message:
    return Message(
        name_exists=response.rcode() == dns.rcode.NOERROR,
        records=[record for rrset in response.answer for record in _records(rrset)],
        negative_ttl_s=_negative_ttl_s(response),
        has_delegation=any(r.rdtype == dns.rdatatype.NS for r in response.authority),
    )


def _records(rrset: dns.rrset.RRset) -> list[Record]:
    rdtype = _RECORD_TYPES.get(rrset.rdtype)
    if rdtype is None or rrset.rdclass != dns.rdataclass.IN:
        return []
    owner = _spell(rrset.name)
    match rdtype:
        case RecordType.MX:
            pairs = [(_spell(data.exchange), data.preference) for data in rrset]
        case RecordType.A | RecordType.AAAA:
            pairs = [(data.address, 0) for data in rrset]
        case _:
            pairs = [(_spell(data.target), 0) for data in rrset]
    return [Record(owner, rdtype, rrset.ttl, *pair) for pair in pairs]


def _spell(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _negative_ttl_s(response: dns.message.Message) -> int | None:
    for rrset in response.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            # RFC 2308 5: the lesser of the record's own TTL and its MINIMUM field.
            return int(min(rrset.ttl, rrset[0].minimum))
    return None
