"""DNS truth about a domain: who takes its mail, at which addresses, and for how long that holds."""

from mailvet.mx.answer import Answer, AnswerKind, Ask, RecordType
from mailvet.mx.literal import literal_route
from mailvet.mx.nameservers import NameServer, nameservers_from
from mailvet.mx.plain_ask import PlainAsk
from mailvet.mx.questions import KeepTimes
from mailvet.mx.reserved import AddressGuard
from mailvet.mx.resolver import Resolver
from mailvet.mx.transport import DnsTransport
from mailvet.mx.way import ResolverLimits
from mailvet.mx.way_out import WayOut

__all__ = [
    "AddressGuard",
    "Answer",
    "AnswerKind",
    "Ask",
    "DnsTransport",
    "KeepTimes",
    "NameServer",
    "PlainAsk",
    "RecordType",
    "Resolver",
    "ResolverLimits",
    "WayOut",
    "literal_route",
    "nameservers_from",
]
