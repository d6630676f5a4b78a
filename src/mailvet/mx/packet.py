"""One question packed by hand, and plain answers unpacked by hand (RFC 1035 4, RFC 6891).

Plain is what nearly every answer is: records of the type asked for, perhaps behind a chain of
aliases, or "no" with an SOA. Whatever else comes is told apart, never guessed at, and left to the
library.
"""

import re
from functools import lru_cache
from socket import AF_INET6, inet_ntop
from struct import Struct, error
from typing import NamedTuple

from mailvet.model.named import new
from mailvet.mx.answer import Answer, AnswerKind, Message, Record, RecordType, understand

UDP_PAYLOAD_BYTES = 1232
"""Fits one unfragmented packet on every path (DNS flag day 2020)."""

_ASKED = (RecordType.MX, RecordType.A, RecordType.AAAA)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_MAX_NAME_CHARS = 253
_MAX_POINTERS = 16
"""A name of 127 labels could have as many; real packets need one or two."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

_SIZES = [chr(size) for size in range(64)]
_ENDS = {rdtype: b"\0" + rdtype.to_bytes(2, "big") + b"\0\1" for rdtype in _ASKED}
"""The root label, the type, and class IN."""

_HEADER = Struct(">HHHHHH")
_RECORD = Struct(">HHIH")
_SOA_NUMBERS = Struct(">IIIII")
_RECURSE = 0x0100
_OPT = 41
_SOA = 6
_IN = 1
_HEADER_BYTES = 12
# QR, opcode and TC: a whole response to a query. The lowest four bits are the response code.
_KIND_MASK, _RESPONSE = 0xFA00, 0x8000
_NXDOMAIN = 3
_POINTED = Struct(">HHHIH")
"""A record from the start, where its owner is a pointer."""
_TO_QNAME = 0xC000 | _HEADER_BYTES
_EDNS = b"\0" + _RECORD.pack(_OPT, UDP_PAYLOAD_BYTES, 0, 0)


class Asked(NamedTuple):
    """A question as it is on the wire."""

    name: str
    rdtype: RecordType
    section: bytes
    """The question section: an answer repeats it."""


def pack(name: str, rdtype: RecordType) -> Asked | None:
    """Return the question about a lower-case host name; None for anything less plain."""
    end = _ENDS.get(rdtype)
    labels = _labels(name)
    if end is None or labels is None or len(name) > _MAX_NAME_CHARS:
        return None
    return new(Asked, (name, rdtype, labels + end))


def query_of(asked: Asked, number: int) -> bytes:
    """The whole query with an id: recursion wanted, EDNS offered."""
    return _HEADER.pack(number, _RECURSE, 1, 0, 0, 1) + asked[2] + _EDNS


def _labels(name: str) -> bytes | None:
    """The labels of a name, each behind its length; None for what is no plain host name."""
    label, dot, parent = name.partition(".")
    is_short = len(label) < len(_SIZES) and label.isascii() and label.isalnum()
    if not (is_short and label.islower()) and not _LABEL.fullmatch(label):
        return None
    first = f"{_SIZES[len(label)]}{label}".encode()
    if not dot:
        return first
    rest = _labels_above(parent)
    return rest and first + rest


_labels_above = lru_cache(4096)(_labels)
"""What follows the first dot of a name comes again and again."""


def answers(packet: bytes, asked: Asked) -> bool:
    """Whether a packet with the right id may be for this question (RFC 5452 9.1).

    Letter case is not held against it here, nor that a cut answer has no question at all: such
    a packet is not plain, and is looked at by the library.
    """
    if len(packet) < _HEADER_BYTES or not packet[2] & 0x80:
        return False
    wanted = asked[2]
    section = packet[_HEADER_BYTES : _HEADER_BYTES + len(wanted)]
    # Letters of a name can only be lowered; no other octet of the section is a letter by chance
    # that would make two different questions alike.
    return section == wanted or section.lower() == wanted.lower() or _is_cut(packet)


def _is_cut(packet: bytes) -> bool:
    return bool(packet[2] & 0x02) and packet[4:6] == b"\0\0"


def unpack(packet: bytes, asked: Asked) -> Answer | None:
    """Return what a packet answers; None when it is not plain, or cannot be right."""
    try:
        return _unpack(packet, asked)
    except (_NotPlainError, IndexError, error):
        return None


class _NotPlainError(Exception):
    """Something the library should look at."""


def _unpack(packet: bytes, asked: Asked) -> Answer:
    _, flags, questions, answers, authority, additional = _HEADER.unpack_from(packet)
    code = flags & 15
    if flags & _KIND_MASK != _RESPONSE or questions != 1 or code not in (0, _NXDOMAIN):
        raise _NotPlainError
    name, rdtype, section = asked
    at = _HEADER_BYTES + len(section)
    if packet[_HEADER_BYTES:at] != section:
        raise _NotPlainError
    if not authority and answers and not code:
        found = _set_of_records(packet, at, asked, answers, additional)
        if found is not None:
            return new(Answer, (AnswerKind.ANSWER, found, (), None))
    reader = _Reader(packet, at, name)
    records = [reader.record() for _ in range(answers)]
    _check_chain(records, asked)
    for _ in range(authority):
        reader.authority()
    for _ in range(additional):
        reader.additional()
    if reader.at != len(packet):
        raise _NotPlainError
    message = Message(code == 0, records, reader.negative_ttl_s, reader.has_delegation)
    answer = understand(name, rdtype, message)
    if answer.kind.is_temporary:  # another server may know better
        raise _NotPlainError
    return answer


def _set_of_records(
    packet: bytes, at: int, asked: Asked, answers: int, additional: int
) -> tuple[Record, ...] | None:
    """The records of an answer that has nothing else but OPT, which most are; None for others."""
    name, rdtype, _ = asked
    found = []
    first_ttl_s = None
    for _ in range(answers):
        owner, kind, rdclass, ttl_s, size = _POINTED.unpack_from(packet, at)
        if owner != _TO_QNAME or kind != rdtype or rdclass != _IN or ttl_s >> 31:
            return None
        first_ttl_s = ttl_s if first_ttl_s is None else first_ttl_s
        at += _POINTED.size
        if rdtype is RecordType.MX:
            end, preference = at + size, packet[at] << 8 | packet[at + 1]
            value = _name_beside(packet, at + 2, end, name)
            value = value or _Reader(packet, at + 2, name).last_name(end)
        elif rdtype is RecordType.A and size == 4:
            preference, value = 0, _ipv4(packet[at : at + 4])
        else:
            return None
        at += size
        if ttl_s != first_ttl_s:
            return None
        found.append(new(Record, (name, rdtype, ttl_s, value, preference)))
    if additional == 1 and packet[at] == 0:
        kind, _, flags, size = _RECORD.unpack_from(packet, at + 1)
        if kind != _OPT or flags >> 16 or size:
            return None
        at += 1 + _RECORD.size
    elif additional:
        return None
    if at != len(packet) or (answers > 1 and len(set(found)) != answers):
        return None
    return tuple(found)


def _name_beside(packet: bytes, at: int, end: int, asked: str) -> str | None:
    """The name from `at` to `end` if it is one label more than an end of the name asked for, as
    most exchangers of a domain's own are; else None."""
    size = packet[at]
    pointer = at + 1 + size
    if size >= 64 or pointer + 2 != end or packet[pointer] < 0xC0:
        return None
    # A character of the name stands one octet behind where its packed label begins.
    start = ((packet[pointer] & 0x3F) << 8 | packet[pointer + 1]) - _HEADER_BYTES
    label = packet[at + 1 : pointer]
    if not 0 <= start < len(asked) or (start and asked[start - 1] != "."):
        return None
    if not size or label.translate(None, _LETTERS) or size + len(asked) - start >= _MAX_NAME_CHARS:
        return None
    return f"{label.decode('ascii').lower()}.{asked[start:]}"


def _check_chain(records: list[Record], asked: Asked) -> None:
    """Let pass aliases in order, then one set of records at their end, each record once."""
    owner = asked.name
    passed = set()
    for record in records:
        if record.owner != owner or record.rdtype is not RecordType.CNAME:
            break
        if owner in passed:
            raise _NotPlainError
        passed.add(owner)
        owner = record.value
    found = records[len(passed) :]
    if not found:
        return
    ttl_s = found[0].ttl_s
    for record in found:
        if record[:3] != (owner, asked.rdtype, ttl_s):
            raise _NotPlainError
    if len({(record.value, record.preference) for record in found}) != len(found):
        raise _NotPlainError


class _Reader:
    """Reads records one after another, and nothing it does not know exactly."""

    __slots__ = ("_name", "_packet", "_seen_opt", "at", "has_delegation", "negative_ttl_s")

    def __init__(self, packet: bytes, at: int, name: str) -> None:
        self._packet = packet
        self._name = name
        self._seen_opt = False
        self.at = at
        self.negative_ttl_s: int | None = None
        self.has_delegation = False

    def record(self) -> Record:
        """Read a record of the answer section."""
        owner = self._read_name()
        rdtype, ttl_s, end = self._head()
        packet, at = self._packet, self.at
        preference = 0
        if rdtype == RecordType.A and end - at == 4:
            value = _ipv4(packet[at:end])
        elif rdtype == RecordType.AAAA and end - at == 16:
            value = _ipv6(packet[at:end])
        elif rdtype == RecordType.MX:
            preference = packet[at] << 8 | packet[at + 1]
            self.at = at + 2
            value = self.last_name(end)
        elif rdtype == RecordType.CNAME:
            value = self.last_name(end)
        else:
            raise _NotPlainError
        self.at = end
        return Record(owner, _TYPES[rdtype], ttl_s, value, preference)

    def authority(self) -> None:
        """Read a record of the authority section: an SOA or a delegation."""
        self._read_name()
        rdtype, ttl_s, end = self._head()
        if rdtype == RecordType.NS:
            self.last_name(end)
            self.has_delegation = True
        elif rdtype == _SOA and self.negative_ttl_s is None:
            self._read_name()
            self._read_name()
            if end - self.at != _SOA_NUMBERS.size:
                raise _NotPlainError
            # RFC 2308 5: the lesser of the record's own TTL and its MINIMUM field.
            self.negative_ttl_s = min(ttl_s, _SOA_NUMBERS.unpack_from(self._packet, self.at)[4])
        else:
            raise _NotPlainError
        self.at = end

    def additional(self) -> None:
        """Read over a record of the additional section: addresses, and OPT without a word."""
        if self._packet[self.at] == 0:
            payload = _RECORD.unpack_from(self._packet, self.at + 1)
            if self._seen_opt or payload[0] != _OPT or payload[2] >> 16 or payload[3]:
                raise _NotPlainError
            self._seen_opt = True
            self.at += 1 + _RECORD.size
            return
        self._read_name()
        rdtype, _, end = self._head()
        if (rdtype, end - self.at) not in ((RecordType.A, 4), (RecordType.AAAA, 16)):
            raise _NotPlainError
        self.at = end

    def _head(self) -> tuple[int, int, int]:
        """The type, the TTL and where the record ends; of class IN."""
        rdtype, rdclass, ttl_s, length = _RECORD.unpack_from(self._packet, self.at)
        self.at += _RECORD.size
        end = self.at + length
        if rdclass != _IN or ttl_s >> 31 or end > len(self._packet):
            raise _NotPlainError
        return rdtype, ttl_s, end

    def last_name(self, end: int) -> str:
        """Read a name that ends where its record does."""
        name = self._read_name()
        if self.at != end:
            raise _NotPlainError
        return name

    def _read_name(self) -> str:
        packet, at = self._packet, self.at
        if packet[at] == 0xC0 and packet[at + 1] == _HEADER_BYTES:  # mostly: the name asked for
            self.at = at + 2
            return self._name
        labels: list[bytes] = []
        lowest = at
        pointers = 0
        while size := packet[at]:
            if size < 64:
                labels.append(packet[at + 1 : at + 1 + size])
                at += 1 + size
                continue
            target = (size & 0x3F) << 8 | packet[at + 1]
            # Only backwards, so that it ends; and never into the header.
            if size < 0xC0 or target >= lowest or target < _HEADER_BYTES:
                raise _NotPlainError
            if not pointers:
                self.at = at + 2
            pointers += 1
            at = lowest = target
            if pointers > _MAX_POINTERS:
                raise _NotPlainError
        if not pointers:
            self.at = at + 1
        return _spelt(b".".join(labels), len(labels))


@lru_cache(4096)
def _spelt(joined: bytes, labels: int) -> str:
    """The name of labels, as `Record.owner` has it; the same few hosts come again and again."""
    dots = labels - 1 if labels else 0
    if len(joined) > _MAX_NAME_CHARS or len(joined.translate(None, _LETTERS)) != dots:
        raise _NotPlainError
    return joined.decode("ascii").lower() or "."


_TYPES = {int(rdtype): rdtype for rdtype in RecordType}


def _ipv4(octets: bytes) -> str:
    return "%d.%d.%d.%d" % (octets[0], octets[1], octets[2], octets[3])  # noqa: UP031 - the fastest


def _ipv6(octets: bytes) -> str:
    if not any(octets[:10]):  # IPv4 inside: spelt in several ways
        raise _NotPlainError
    return inet_ntop(AF_INET6, octets)
