"""From a domain's name to the addresses of its exchangers, question by question (RFC 5321 5.1).

Nobody awaits anything here: what was heard leads to the next question, or to the end, without a
task or a turn of the loop between (docs/decisions/0037-nobody-awaits-a-domain.md).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailvet.model.named import new
from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.mx.answer import AnswerKind, RecordType, absolute, presented
from mailvet.mx.exchangers import (
    Named,
    can_be_host,
    exchangers_of,
    gather,
    in_order,
    is_null_mx,
    outcome_of_none,
    temporary_outcome,
)
from mailvet.mx.questions import KeepTimes, Looked, Question, Questions
from mailvet.mx.reserved import AddressGuard

MAX_RECORDS = 50
"""Lines of evidence kept of one domain: the largest operators have about 40."""

Told = Callable[[MxAnswer | Exception], None]
"""Hears where mail goes, or what fault of ours kept it from being found out; must not raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverLimits:
    """How much of what DNS says is followed and kept."""

    max_exchangers: int = 20
    """Nobody runs more; a thousand MX records would make one visit a thousand connections."""
    max_addresses: int = 8
    """Of each exchanger and family; the largest operators give 4 to 8."""
    max_domains: int = 20_000
    """MX answers kept, about 2 kB each: they are read once a domain, the engine keeps routes."""
    max_hosts: int = 50_000
    """A and AAAA answers kept, about 1 kB each: shared by all domains of an operator."""
    keep: KeepTimes = field(default_factory=KeepTimes)


class Means:
    """What every way is gone with."""

    __slots__ = (
        "clock",
        "guard",
        "ipv6",
        "max_addresses",
        "max_exchangers",
        "questions",
        "shuffle",
    )

    def __init__(
        self,
        questions: Questions,
        guard: AddressGuard,
        limits: ResolverLimits,
        *,
        ipv6: Callable[[], bool],
        clock: Callable[[], float],
        shuffle: random.Random,
    ) -> None:
        """`ipv6()` tells whether there is any use in asking for AAAA beside A."""
        self.questions = questions
        self.guard = guard
        self.max_exchangers = limits.max_exchangers
        self.max_addresses = limits.max_addresses
        self.ipv6 = ipv6
        self.clock = clock
        self.shuffle = shuffle


class Way:
    """One domain on its way; `told` hears how it ended, once."""

    __slots__ = ("_hosts", "_known", "_left", "_means", "_named", "_outcome", "_rdtypes", "_told")

    def __init__(self, means: Means, told: Told) -> None:
        self._means = means
        self._told: Told | None = told
        self._known: dict[Question, Looked] = {}
        """What led here."""
        self._left = 0
        """Questions under way."""
        self._outcome = MxOutcome.EXCHANGERS
        """If any of them has an address."""
        self._named: Sequence[Named] = ()
        self._hosts: Sequence[Named] = ()
        """Those of the named that can be hosts."""
        self._rdtypes: Sequence[RecordType] = ()
        """What is asked about each host; nothing yet while MX is asked for."""

    def begin(self, name: str) -> None:
        """Ask for the MX records of a domain in lower-case A-labels, and go on from there."""
        self._left = 1
        try:
            self._means.questions.ask((name, RecordType.MX), self)
        except Exception as error:
            self._stumble(error)

    def begin_at(self, host: str) -> None:
        """Ask for nothing but the addresses of a host."""
        self._find([Named(0, host)])

    def heard(self, question: Question, looked: Looked) -> None:
        """See `Hearer`."""
        self._known[question] = looked
        self._left -= 1
        if self._left or self._told is None:
            return
        try:
            if self._rdtypes:
                self._sum_up()
            else:
                self._follow(question[0], looked)
        except Exception as error:
            self._stumble(error)

    def failed(self, error: Exception) -> None:
        """See `Hearer`."""
        self._tell(error)

    def _stumble(self, error: Exception) -> None:
        """Tell of a fault of ours; raise one of whoever was told."""
        if self._told is None:
            raise error
        self._tell(error)

    def _follow(self, name: str, looked: Looked) -> None:
        """Go where the answer about MX leads."""
        kind, records, _, _ = looked
        if kind is AnswerKind.ANSWER:
            if is_null_mx(records):
                self._end(MxOutcome.NULL_MX)
                return
            self._named = named = in_order(records, self._means.shuffle)
            hosts = [one for one in named if can_be_host(one.host)]
            self._find(hosts[: self._means.max_exchangers])
        elif kind is AnswerKind.NODATA:
            # RFC 5321 5.1: without MX the domain is its own exchanger, with preference 0.
            self._outcome = MxOutcome.IMPLICIT
            self._find([Named(0, name)])
        elif kind is AnswerKind.NXDOMAIN:
            self._end(MxOutcome.NO_DOMAIN)
        else:
            self._end(temporary_outcome([kind]))

    def _find(self, hosts: Sequence[Named]) -> None:
        self._hosts = hosts
        self._look_up(_BOTH_FAMILIES if self._means.ipv6() else _IPV4_ONLY)

    def _look_up(self, rdtypes: Sequence[RecordType]) -> None:
        hosts, ask = self._hosts, self._means.questions.ask
        self._rdtypes = rdtypes
        self._left = len(hosts) * len(rdtypes)
        for host in hosts:
            for rdtype in rdtypes:
                ask((host[1], rdtype), self)
        if not hosts:
            self._sum_up()

    def _sum_up(self) -> None:
        """Tell of the exchangers, now that there is an answer about each."""
        means, known, hosts, rdtypes = self._means, self._known, self._hosts, self._rdtypes
        found = [
            gather(
                host[1],
                [known[host[1], rdtype] for rdtype in rdtypes],
                means.guard,
                means.max_addresses,
            )
            for host in hosts
        ]
        exchangers = exchangers_of(hosts, found)
        # To tell the truth of IPv6-only domains. Told by length: compiled, a tuple has no identity.
        if not exchangers and len(rdtypes) < len(_BOTH_FAMILIES):
            self._look_up(_BOTH_FAMILIES)
            return
        outcome = self._outcome if exchangers else outcome_of_none(found)
        names = [one[1] for one in self._named] or [one[0] for one in exchangers]
        self._end(outcome, exchangers, tuple(names[: means.max_exchangers]))

    def _end(
        self,
        outcome: MxOutcome,
        exchangers: tuple[Exchanger, ...] = (),
        hosts: tuple[str, ...] = (),
    ) -> None:
        expires_at = min([looked[3] for looked in self._known.values()])
        ttl_s = max(0.0, expires_at - self._means.clock())
        records = _evidence(self._known)
        self._tell(new(MxAnswer, (outcome, exchangers, hosts, ttl_s, records)))

    def _tell(self, said: MxAnswer | Exception) -> None:
        told, self._told = self._told, None
        if told is not None:
            told(said)


_IPV4_ONLY = (RecordType.A,)
_BOTH_FAMILIES = (RecordType.A, RecordType.AAAA)


def _evidence(known: dict[Question, Looked]) -> tuple[str, ...]:
    """The records as zone files have them; what is no record as a comment of a zone file."""
    lines: list[str] = []
    for (name, rdtype), (kind, records, aliases, _) in known.items():
        lines += [presented(record) for record in aliases]
        lines += [presented(record) for record in records]
        if kind is not AnswerKind.ANSWER:
            lines.append(f"; {absolute(name)} IN {rdtype.name} {kind}")
    return tuple(lines[:MAX_RECORDS])
