"""What the answers about all mailboxes of a domain share: its names, its records, its catch-all.

It is encoded once for each state of a domain's card, and kept on the card.
"""

from typing import NamedTuple

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.encoder import Encoder
from mailvet.engine.hearing import Hearing
from mailvet.engine.judge import Suggest, suggestions_of
from mailvet.engine.sorts import Sorts
from mailvet.model.address import DomainName

MAX_BARE = 8192
"""Domains remembered that were not asked about: of duplicates, and of names with a fault."""


class Place(NamedTuple):
    """What is the same for all mailboxes of a domain, as long as its card stays as it is."""

    domain: DomainName | None
    card: tuple[object, object, object]
    """What of the card it was made from: the answer of DNS, the catch-all, its observation."""
    sort: int
    """Equal for domains that differ in nothing an answer depends on but what stands here."""
    is_mistyped: bool
    """Whether there may be suggestions."""
    more: str
    """Encoded fields."""
    dns: bytes
    """Encoded evidence of look-ups alone."""
    evidence: bytes
    """With that of the made-up mailbox."""


_NO_CARD = (None, None, None)


class Places:
    """Places by card, and by domain where there is none."""

    def __init__(self, encoder: Encoder, suggest: Suggest, sorts: Sorts, hearing: Hearing) -> None:
        self._encoder = encoder
        self._hearing = hearing
        self._suggest = suggest
        self._sorts = sorts
        self._bare: dict[DomainName, Place] = {}
        # A fault's suggestions depend on the text.
        self._nowhere = Place(None, _NO_CARD, sorts.of(()), True, "", b"", b"")

    def of(self, case: Case) -> Place:
        """Return the place of a case."""
        card, address = case.card, case.address
        if address is None:
            return self._nowhere
        domain = address.domain
        if card is None:
            return self._bare.get(domain) or self._keep(case, domain)
        place: Place | None = card.place
        if (
            place is None
            or (place.domain is not domain and place.domain != domain)
            or place.card[0] is not card.answer
            or place.card[1] is not card.catch_all
            or place.card[2] is not card.catch_all_seen
        ):
            place = card.place = self._survey(case, domain, card)
        return place

    def forget(self) -> None:
        """Drop what is remembered beside the cards."""
        self._bare.clear()

    def _keep(self, case: Case, domain: DomainName) -> Place:
        if len(self._bare) >= MAX_BARE:
            self._bare.clear()
        is_mistyped = self._is_mistyped(case)
        sort = self._sorts.of((domain.ascii == domain.unicode, is_mistyped))
        more = self._encoder.domain(domain, ())
        place = self._bare[domain] = Place(domain, _NO_CARD, sort, is_mistyped, more, b"", b"")
        return place

    def _survey(self, case: Case, domain: DomainName, card: DomainCard) -> Place:
        """Take down what there is to be said about a domain that was asked about."""
        encoder, answer, made_up = self._encoder, card.answer, card.catch_all_seen
        before: Place | None = card.place
        same = before is not None and before.domain == domain
        is_mistyped = before.is_mistyped if before and same else self._is_mistyped(case)
        traits = (
            domain.ascii == domain.unicode,
            is_mistyped,
            answer and (answer.outcome, bool(answer.hosts)),
            card.operator,
            card.is_great,
            card.catch_all,
            made_up is None,
            made_up and made_up.trouble,
        )
        hosts = answer.hosts if answer is not None else ()
        records = answer.records if answer is not None else ()
        dns = evidence = encoder.domain_evidence(records, "") if records else b""
        if made_up is not None:
            heard = self._hearing.of(made_up, card.catch_all_reading)
            evidence = encoder.domain_evidence(records, heard.words)
        return Place(
            domain,
            (answer, card.catch_all, made_up),
            self._sorts.of(traits),
            is_mistyped,
            encoder.domain(domain, hosts),
            dns,
            evidence,
        )

    def _is_mistyped(self, case: Case) -> bool:
        return bool(suggestions_of(case, self._suggest))
