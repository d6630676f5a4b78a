"""Where mail for a domain goes (RFC 5321 5.1): MX, null MX, implicit MX, and every address.

A domain costs one MX question, and an A and an AAAA question for each exchanger that no other
domain has asked for already; NXDOMAIN and null MX cost the one.
"""

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial

from mailvet.model.route import MxAnswer
from mailvet.mx.answer import AnswerKind, Ask, Begin, RecordType
from mailvet.mx.literal import literal_route
from mailvet.mx.questions import Questions
from mailvet.mx.reserved import AddressGuard
from mailvet.mx.way import Means, ResolverLimits, Told, Way


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
        limits = limits or ResolverLimits()
        self._ask = ask
        self._guard = guard
        self._questions = Questions(
            ask,
            clock=clock,
            keep=limits.keep,
            max_domains=limits.max_domains,
            max_hosts=limits.max_hosts,
            begin=begin,
        )
        self._means = Means(
            self._questions,
            guard,
            limits,
            ipv6=way_out if ipv6 else _never,
            clock=clock,
            shuffle=shuffle or random.Random(),  # noqa: S311 - spreads load, keeps no secret
        )

    def begin(self, domain: str, told: Told) -> None:
        """Find out where mail for a domain in A-labels, or an address literal in brackets, goes.

        `told` hears it, perhaps before this returns. What DNS says or fails to say is the outcome,
        with the time the whole answer may be kept. NO_DOMAIN, NULL_MX and NO_MAIL are said only on
        positive evidence; after SERVFAIL or silence the outcome is temporary.
        """
        if domain.startswith("["):
            told(literal_route(domain, self._guard))
        else:
            Way(self._means, told).begin(domain.lower().removesuffix("."))

    async def mail_route(self, domain: str) -> MxAnswer:
        """Return what `begin` tells; raises what is a fault of ours."""
        answer: asyncio.Future[MxAnswer] = asyncio.get_running_loop().create_future()
        self.begin(domain, partial(_hand_over, answer))
        return await answer

    async def host_addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host in A-labels that may be dialled, perhaps none."""
        answer: asyncio.Future[MxAnswer] = asyncio.get_running_loop().create_future()
        Way(self._means, partial(_hand_over, answer)).begin_at(host.lower())
        found = (await answer).exchangers
        return found[0].addresses if found else ()

    async def reachable(self) -> bool:
        """Ask, past the cache, for the root's name servers: whether any name server answers.

        REFUSED counts: a server of inside zones only may well say that.
        """
        answer = await self._ask(".", RecordType.NS)
        return not answer.kind.is_temporary or answer.kind is AnswerKind.REFUSED

    async def close(self) -> None:
        """End the questions under way; whoever waits for one gets SERVER_FAILURE."""
        await self._questions.close()


def _never() -> bool:
    return False


def _hand_over(waiting: "asyncio.Future[MxAnswer]", said: MxAnswer | Exception) -> None:
    """Give what was told to who awaits it, if he still does."""
    if waiting.done():
        return
    if isinstance(said, Exception):
        waiting.set_exception(said)
    else:
        waiting.set_result(said)
