"""Where mail for a domain goes (RFC 5321 5.1): MX, null MX, implicit MX, and every address.

A domain costs one MX question, and an A and an AAAA question for each exchanger that no other
domain has asked for already; NXDOMAIN and null MX cost the one.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailvet.model.route import Exchanger, MxAnswer, MxOutcome
from mailvet.mx.answer import AnswerKind, Ask, Begin, RecordType, absolute
from mailvet.mx.exchangers import (
    Found,
    Named,
    can_be_host,
    exchangers_of,
    gather,
    in_order,
    is_null_mx,
    outcome_of_none,
    temporary_outcome,
)
from mailvet.mx.literal import literal_route
from mailvet.mx.questions import KeepTimes, Looked, Question, Questions
from mailvet.mx.reserved import AddressGuard

MAX_RECORDS = 50
"""Lines of evidence kept of one domain: the largest operators have about 40."""


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


class Resolver:
    """Finds mail routes; each question is asked once for everybody and kept for its time.

    With `ipv6` off, or while there is no way out over it, AAAA is asked for only where a domain has
    no IPv4 address at all: the answer then tells the truth about the domain, though nothing can be
    dialled from here.
    """

    def __init__(
        self,
        ask: Ask,
        guard: AddressGuard,
        *,
        begin: Begin | None = None,
        limits: ResolverLimits | None = None,
        ipv6: bool = True,
        way_out: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
        shuffle: random.Random | None = None,
    ) -> None:
        self._ask = ask
        self._guard = guard
        self._limits = limits or ResolverLimits()
        self._ipv6 = ipv6
        self._way_out = way_out
        self._clock = clock
        self._shuffle = shuffle or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._questions = Questions(
            ask,
            clock=clock,
            keep=self._limits.keep,
            max_domains=self._limits.max_domains,
            max_hosts=self._limits.max_hosts,
            begin=begin,
        )

    async def mail_route(self, domain: str) -> MxAnswer:
        """Return where mail for a domain in A-labels, or an address literal in brackets, goes.

        Never raises for what DNS says or fails to say: that is the outcome, with the time the
        whole answer may be kept. NO_DOMAIN, NULL_MX and NO_MAIL are said only on positive
        evidence; after SERVFAIL or silence the outcome is temporary.
        """
        if domain.startswith("["):
            return literal_route(domain, self._guard)
        name = domain.lower().removesuffix(".")
        question = (name, RecordType.MX)
        looked = self._questions.kept(question) or await self._questions.wait_for(question)
        known = {question: looked}
        if looked.kind is AnswerKind.ANSWER:
            if is_null_mx(looked.records):
                return self._answer(MxOutcome.NULL_MX, known)
            named = in_order(looked.records, self._shuffle)
            hosts = [one for one in named if can_be_host(one.host)]
            hosts = hosts[: self._limits.max_exchangers]
            return await self._through(MxOutcome.EXCHANGERS, named, hosts, known)
        if looked.kind is AnswerKind.NODATA:
            # RFC 5321 5.1: without MX the domain is its own exchanger, with preference 0.
            return await self._through(MxOutcome.IMPLICIT, (), [Named(0, name)], known)
        if looked.kind is AnswerKind.NXDOMAIN:
            return self._answer(MxOutcome.NO_DOMAIN, known)
        return self._answer(temporary_outcome([looked.kind]), known)

    async def host_addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host in A-labels that may be dialled, perhaps none."""
        [found] = await self._find([Named(0, host.lower())], {})
        return found.addresses

    async def reachable(self) -> bool:
        """Ask, past the cache, for the root's name servers: whether any name server answers.

        REFUSED counts: a server of inside zones only may well say that.
        """
        answer = await self._ask(".", RecordType.NS)
        return not answer.kind.is_temporary or answer.kind is AnswerKind.REFUSED

    async def close(self) -> None:
        """End the questions under way; whoever waits for one gets SERVER_FAILURE."""
        await self._questions.close()

    async def _through(
        self,
        outcome: MxOutcome,
        named: Sequence[Named],
        candidates: Sequence[Named],
        known: dict[Question, Looked],
    ) -> MxAnswer:
        """The answer once the candidates' addresses are known; `known` is what led here."""
        found = await self._find(candidates, known)
        exchangers = exchangers_of(candidates, found)
        if not exchangers:
            outcome = outcome_of_none(found)
        hosts = tuple([one.host for one in named or exchangers])[: self._limits.max_exchangers]
        return self._answer(outcome, known, exchangers, hosts)

    async def _find(self, hosts: Sequence[Named], known: dict[Question, Looked]) -> list[Found]:
        if not (self._ipv6 and self._way_out()):
            await self._look_up(_IPV4_ONLY, hosts, known)
            found = self._sum_up(_IPV4_ONLY, hosts, known)
            for one in found:
                if one.addresses:
                    return found
        await self._look_up(_BOTH_FAMILIES, hosts, known)
        return self._sum_up(_BOTH_FAMILIES, hosts, known)

    async def _look_up(
        self, rdtypes: Sequence[RecordType], hosts: Sequence[Named], known: dict[Question, Looked]
    ) -> None:
        if len(hosts) == len(rdtypes) == 1:
            question = hosts[0].host, rdtypes[0]
            asked = self._questions
            known[question] = asked.kept(question) or await asked.wait_for(question)
        else:
            questions = [(one.host, rdtype) for one in hosts for rdtype in rdtypes]
            known.update(zip(questions, await self._questions.look_up(questions), strict=True))

    def _sum_up(
        self, rdtypes: Sequence[RecordType], hosts: Sequence[Named], known: dict[Question, Looked]
    ) -> list[Found]:
        return [
            gather(
                one.host,
                [known[one.host, rdtype] for rdtype in rdtypes],
                self._guard,
                self._limits.max_addresses,
            )
            for one in hosts
        ]

    def _answer(
        self,
        outcome: MxOutcome,
        known: dict[Question, Looked],
        exchangers: tuple[Exchanger, ...] = (),
        hosts: tuple[str, ...] = (),
    ) -> MxAnswer:
        expires_at = min([looked.expires_at for looked in known.values()])
        return MxAnswer(
            outcome=outcome,
            exchangers=exchangers,
            hosts=hosts,
            ttl_s=max(0.0, expires_at - self._clock()),
            records=_evidence(known),
        )


_IPV4_ONLY = (RecordType.A,)
_BOTH_FAMILIES = (RecordType.A, RecordType.AAAA)


def _evidence(known: dict[Question, Looked]) -> tuple[str, ...]:
    """The records as zone files have them; what is no record as a comment of a zone file."""
    lines: list[str] = []
    for (name, rdtype), looked in known.items():
        lines += map(str, looked.aliases)
        lines += map(str, looked.records)
        if looked.kind is not AnswerKind.ANSWER:
            lines.append(f"; {absolute(name)} IN {rdtype.name} {looked.kind}")
    return tuple(lines[:MAX_RECORDS])
