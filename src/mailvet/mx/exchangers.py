"""From DNS records to exchangers: order, caps, what may be dialled, and what to say of none."""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from mailvet.model.named import new
from mailvet.model.route import Exchanger, MxOutcome
from mailvet.mx.answer import AnswerKind, Record
from mailvet.mx.questions import Looked
from mailvet.mx.reserved import AddressGuard

ROOT = "."

# RFC 5321 2.3.5 with the underscore that real host names have. Anything else could not be told
# from two names in a route's key, and no sender dials it.
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_LOOKS_LIKE_IPV4 = re.compile(r"[0-9.]+")


class Named(NamedTuple):
    """An exchanger as an MX record names it."""

    preference: int
    host: str


class Found(NamedTuple):
    """What the look-ups of one host's addresses gave."""

    host: str
    addresses: tuple[str, ...]
    """Those that may be dialled: IPv4 before IPv6, each in the order DNS gave."""
    has_reserved: bool
    """Whether there were others, which may not."""
    failures: tuple[AnswerKind, ...]
    """The look-ups that ended temporarily."""


def is_null_mx(records: Sequence[Record]) -> bool:
    """Whether the MX records say that the domain takes no mail (RFC 7505 3).

    Every record must name the root; beside real exchangers `0 .` is only a mistake. The preference
    should be 0, but nothing else can be meant.
    """
    # Nearly every first one is a real host: no loop is begun for it.
    return bool(records) and records[0].value == ROOT and all(one.value == ROOT for one in records)


def in_order(records: Sequence[Record], shuffle: random.Random) -> list[Named]:
    """Every exchanger named once, best preference first, equal ones shuffled (RFC 5321 5.1)."""
    if len(records) == 1:
        _, _, _, host, preference = records[0]
        return [new(Named, (preference, host))]
    best: dict[str, int] = {}
    for record in records:
        best[record.value] = min(record.preference, best.get(record.value, record.preference))
    named = [Named(preference, host) for host, preference in best.items()]
    shuffle.shuffle(named)
    return sorted(named, key=lambda one: one.preference)


def can_be_host(name: str) -> bool:
    """Whether an MX target can be looked up and dialled as a host name.

    Not so the root, names with odd octets, and IP addresses written as names
    (`MX 10 192.0.2.1.`), which RFC 5321 5.1 and every sender take for a mistake.
    """
    if not _HOST_NAME.fullmatch(name):
        return False
    return not name[-1].isdigit() or not _LOOKS_LIKE_IPV4.fullmatch(name)


def gather(host: str, looked: Sequence[Looked], guard: AddressGuard, max_addresses: int) -> Found:
    """Sum up the look-ups of one host's addresses, `max_addresses` of each look-up at most.

    The caller gives IPv4 first: senders' reputation and reverse DNS are kept there, and some
    exchangers refuse IPv6 clients for the lack of them.
    """
    if len(looked) == 1:
        kind, records, _, _ = looked[0]
        if kind is AnswerKind.ANSWER and len(records) == 1:
            address = records[0].value
            may = guard.may_dial(address)
            return new(Found, (host, (address,) if may else (), not may, ()))
    addresses: list[str] = []
    has_reserved = False
    for one in looked:
        given = dict.fromkeys(record.value for record in one.records)
        allowed = [address for address in given if guard.may_dial(address)]
        has_reserved = has_reserved or len(allowed) < len(given)
        addresses += allowed[:max_addresses]
    failures = tuple(one.kind for one in looked if one.kind.is_temporary)
    return Found(host, tuple(addresses), has_reserved, failures)


def exchangers_of(named: Sequence[Named], found: Sequence[Found]) -> tuple[Exchanger, ...]:
    """The exchangers that can be dialled, in the order of `named`."""
    exchangers = []
    for (preference, host), what in zip(named, found, strict=True):
        addresses = what[1]
        if addresses:
            exchangers.append(new(Exchanger, (host, preference, addresses)))
    return tuple(exchangers)


def outcome_of_none(found: Sequence[Found]) -> MxOutcome:
    """What it means that no host has an address to dial.

    A single look-up that failed temporarily leaves everything open (golden rule: weak evidence
    is UNKNOWN); SERVFAIL and its like say more than silence.
    """
    failures = [kind for one in found for kind in one.failures]
    if failures:
        return temporary_outcome(failures)
    if any(one.has_reserved for one in found):
        return MxOutcome.UNROUTABLE
    return MxOutcome.NO_MAIL


def temporary_outcome(failures: Sequence[AnswerKind]) -> MxOutcome:
    """TIMEOUT when there was nothing but silence, SERVER_FAILURE otherwise."""
    if all(kind is AnswerKind.TIMEOUT for kind in failures):
        return MxOutcome.TIMEOUT
    return MxOutcome.SERVER_FAILURE
