"""One question to DNS and its answer, as values that know no library and no socket.

Everything above asks through `Ask`, so what carries the question can be exchanged.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

MAX_ALIASES = 8
"""CNAME steps followed: real chains have one to three, resolvers stop at 8 to 16."""


class RecordType(IntEnum):
    """The record types that are asked for or read (RFC 1035 3.2.2, RFC 3596)."""

    A = 1
    NS = 2
    CNAME = 5
    MX = 15
    AAAA = 28


_WORDS = {rdtype: rdtype.name for rdtype in RecordType}
"""The name of a member, without the property of an enumeration that gives it."""


class Record(NamedTuple):
    """One resource record of class IN."""

    owner: str
    """Lower-case ASCII without the final dot; the root is `.`."""
    rdtype: RecordType
    ttl_s: int
    value: str
    """An IP address, or a name spelt as `owner` is."""
    preference: int = 0
    """Of MX only."""


class AnswerKind(StrEnum):
    """How a question ended; none stands for another."""

    ANSWER = "ANSWER"
    """Records of the type asked for."""
    ALIAS = "ALIAS"
    """CNAME records only; the last target has to be asked for by itself."""
    NODATA = "NODATA"
    """The name exists, with other types of record (RFC 2308 2.2)."""
    NXDOMAIN = "NXDOMAIN"
    """The name, or the name it is an alias of, does not exist (RFC 2308 2.1)."""
    SERVFAIL = "SERVFAIL"
    """The name server could not find out."""
    REFUSED = "REFUSED"
    """The name server will not say (also NOTAUTH and every other response code)."""
    BROKEN = "BROKEN"
    """A referral, a loop of aliases, or a message that cannot be right."""
    TIMEOUT = "TIMEOUT"
    """No answer in time."""
    UNREACHABLE = "UNREACHABLE"
    """No name server could be reached at all."""

    @property
    def is_temporary(self) -> bool:
        """Whether this says nothing about the name, and asking later may."""
        return self in _TEMPORARY


_TEMPORARY = frozenset(
    {
        AnswerKind.SERVFAIL,
        AnswerKind.REFUSED,
        AnswerKind.BROKEN,
        AnswerKind.TIMEOUT,
        AnswerKind.UNREACHABLE,
    }
)


class Answer(NamedTuple):
    """What was answered to one question."""

    kind: AnswerKind
    records: tuple[Record, ...] = ()
    """With ANSWER: the records of the type asked for."""
    aliases: tuple[Record, ...] = ()
    """The CNAME records that led there, in order."""
    negative_ttl_s: int | None = None
    """For how long "no" may be kept (RFC 2308 5): the SOA's; None when there was no SOA."""


class Ask(Protocol):
    """Asks one question over the network. Never raises for what happens outside."""

    def __call__(self, name: str, rdtype: RecordType) -> Awaitable[Answer]:
        """Return the answer about `name`, spelt as `Record.owner` is, within a bounded time."""
        ...


Rest = Callable[[], Awaitable[Answer]]
"""Asks what was asked in vain, in what is left of its time."""

Begin = Callable[[str, RecordType, Callable[[Answer | None, Rest], None]], bool]
"""Sends a question, without a task of its own, if it is a plain one.

False when it is not, and nobody will be told; who is told hears the answer, or None and how to go
on.
"""


class Message(NamedTuple):
    """What counts of a response with code NOERROR or NXDOMAIN, before it is understood."""

    name_exists: bool
    """Whether the code is NOERROR."""
    records: Sequence[Record]
    """The answer section."""
    negative_ttl_s: int | None = None
    """Of the SOA in the authority section, if there is one."""
    has_delegation: bool = False
    """Whether the authority section has NS records."""


def understand(name: str, rdtype: RecordType, message: Message) -> Answer:
    """Return what a message says about a name: follows CNAME records, tells "no" from a referral.

    Records of the answer section that the question does not lead to are left out.
    """
    aliases, end = _follow(name, rdtype, message.records)
    if end is None:
        return Answer(AnswerKind.BROKEN, aliases=aliases)
    found = tuple(r for r in message.records if r.owner == end and r.rdtype is rdtype)
    return Answer(_kind(message, aliases, found), found, aliases, message.negative_ttl_s)


def _follow(
    name: str, rdtype: RecordType, records: Sequence[Record]
) -> tuple[tuple[Record, ...], str | None]:
    """The aliases from a name on, and where they end: None in a loop or a too long chain."""
    targets = {record.owner: record for record in records if record.rdtype is RecordType.CNAME}
    steps: list[Record] = []
    if rdtype is RecordType.CNAME:
        return (), name
    while name in targets:
        if len(steps) == MAX_ALIASES:
            return tuple(steps), None
        steps.append(targets[name])
        name = targets[name].value
    return tuple(steps), name


def _kind(message: Message, aliases: tuple[Record, ...], found: tuple[Record, ...]) -> AnswerKind:
    if not message.name_exists:
        # RFC 6604 3: with aliases the code is about the last name of the chain.
        return AnswerKind.BROKEN if found else AnswerKind.NXDOMAIN
    if found:
        return AnswerKind.ANSWER
    if message.negative_ttl_s is not None:
        return AnswerKind.NODATA
    if aliases:
        return AnswerKind.ALIAS
    # RFC 2308 2.2: NS without SOA is a referral: the server does not know and will not ask.
    return AnswerKind.BROKEN if message.has_delegation else AnswerKind.NODATA


def presented(record: Record) -> str:
    """The record as a line of a zone file (RFC 1035 5.1)."""
    owner, rdtype, ttl_s, value, preference = record
    if rdtype is RecordType.A:
        return f"{absolute(owner)} {ttl_s} IN A {value}"
    if rdtype is RecordType.MX:
        return f"{absolute(owner)} {ttl_s} IN MX {preference} {absolute(value)}"
    if rdtype is not RecordType.AAAA:
        value = absolute(value)
    return f"{absolute(owner)} {ttl_s} IN {_WORDS[rdtype]} {value}"


def absolute(name: str) -> str:
    """The name with its final dot, as zone files have it."""
    return name if name == "." else f"{name}."
