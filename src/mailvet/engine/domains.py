"""The book of domains: one card each, resolved once, kept as long as DNS allows."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from mailvet.engine.case import DomainCard
from mailvet.lists import is_great_provider, operator_of
from mailvet.model.reply import Observation, Reading
from mailvet.model.route import MxAnswer
from mailvet.model.status import Fact

MAX_CARDS = 100_000
"""About 60 MB of cards: the domains of a list of a million addresses, mostly."""

INCONCLUSIVE_TTL_S = 30.0
"""A catch-all that could not be told is asked again in a later attempt, not in the next session."""


class MailRouter(Protocol):
    """Who tells where mail for a domain goes."""

    def begin(self, domain: str, told: Callable[[MxAnswer | Exception], None]) -> None:
        """Find out what DNS says about mail for a domain in A-labels, or a literal.

        `told` hears it, perhaps before this returns, or what fault of ours kept it from being
        found out.
        """
        ...

    def mail_route(self, domain: str) -> Awaitable[MxAnswer]:
        """Return what `begin` tells."""
        ...


class DomainBook:
    """Cards by domain, the least recently used ones dropped."""

    def __init__(
        self,
        router: MailRouter,
        *,
        clock: Callable[[], float],
        catch_all_ttl_s: float,
        max_cards: int = MAX_CARDS,
    ) -> None:
        self._router = router
        self._clock = clock
        self._catch_all_ttl_s = catch_all_ttl_s
        self._max_cards = max_cards
        self._cards: OrderedDict[str, DomainCard] = OrderedDict()

    def card(self, domain: str) -> DomainCard:
        """Return the card of a domain, resolved or not."""
        card = self._cards.get(domain)
        if card is None:
            card = self._cards[domain] = DomainCard(domain)
            self._drop_oldest()
        else:
            self._cards.move_to_end(domain)
        return card

    def forget(self) -> None:
        """Drop every card that nobody works with; who still holds one goes on with it."""
        for domain in [
            card.domain for card in self._cards.values() if not card.probing and not card.waiting
        ]:
            del self._cards[domain]

    def is_fresh(self, card: DomainCard) -> bool:
        """Whether the card's DNS answer may still be used."""
        return card.answer is not None and self._clock() < card.expires_at

    def resolve(self, card: DomainCard, told: Callable[[MxAnswer | Exception], None]) -> None:
        """Ask DNS where mail for the domain goes; see `MailRouter.begin`."""
        self._router.begin(card.domain, told)

    def learn_route(self, card: DomainCard, answer: MxAnswer) -> None:
        """Keep where mail for the domain goes."""
        hosts = answer.hosts
        card.answer = answer
        card.is_great = is_great_provider(card.domain)
        card.expires_at = self._clock() + answer.ttl_s
        card.operator = operator_of(hosts) if hosts else None

    def learn_catch_all(
        self, card: DomainCard, fact: Fact, seen: Observation, reading: Reading | None
    ) -> None:
        """Keep what a made-up mailbox of the domain was answered."""
        ttl_s = INCONCLUSIVE_TTL_S if fact is Fact.INCONCLUSIVE else self._catch_all_ttl_s
        card.catch_all = fact
        card.catch_all_seen = seen
        card.catch_all_reading = reading
        card.catch_all_at = self._clock()
        card.catch_all_until = card.catch_all_at + ttl_s

    def _drop_oldest(self) -> None:
        while len(self._cards) > self._max_cards:
            domain, card = next(iter(self._cards.items()))
            if card.probing or card.waiting:
                self._cards.move_to_end(domain)
                return
            del self._cards[domain]
