"""Known-good exchangers, greeted to tell whether nobody can be reached or just the dead ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from mailvet.engine.domains import MailRouter

REMEMBERED = 8
"""Addresses that were connected to lately: enough that not all of them are down by chance."""
ASKED = 3
"""Greeted at once; one that answers is enough."""

Greets = Callable[[str], Awaitable[bool]]


class Canary:
    """Asks hosts that worked before, and those of well-known domains."""

    def __init__(self, router: MailRouter, greets: Greets, domains: Sequence[str]) -> None:
        """`greets(address)` tells whether the host at an IP address greets us."""
        self._router = router
        self._greets = greets
        self._domains = tuple(domains)
        self._worked: OrderedDict[str, None] = OrderedDict()

    def remember(self, address: str) -> None:
        """Note that the host at this IP address was connected to."""
        self._worked[address] = None
        self._worked.move_to_end(address)
        while len(self._worked) > REMEMBERED:
            self._worked.popitem(last=False)

    async def sings(self) -> bool:
        """Whether any known-good host greets us now."""
        known = list(reversed(self._worked))[:ASKED]
        if known and await self._any_greets(known):
            return True
        answers = await asyncio.gather(*(self._router.mail_route(name) for name in self._domains))
        first = [answer.exchangers[0].addresses[0] for answer in answers if answer.exchangers]
        return await self._any_greets(first)

    async def _any_greets(self, addresses: Sequence[str]) -> bool:
        return any(await asyncio.gather(*(self._greets(address) for address in addresses)))
