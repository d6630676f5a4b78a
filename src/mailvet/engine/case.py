"""One entry on its way to an answer, and the domain it shares with others.

These two are the engine's mutable values: everything observed about an entry or a domain is
written here, by the one event loop, until it is concluded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mailvet.lists import Membership, Operator
from mailvet.model.address import Address, SyntaxFault
from mailvet.model.reply import Observation, Reading
from mailvet.model.route import MxAnswer
from mailvet.model.status import EntryStatus, Fact, QualityLevel
from mailvet.model.step import Spoken, Tell
from mailvet.verdict.policy import Policy, Ruling


class DomainCard:
    """What is known of one domain: how to reach it, and whether it is catch-all."""

    __slots__ = (
        "answer",
        "catch_all",
        "catch_all_at",
        "catch_all_reading",
        "catch_all_seen",
        "catch_all_until",
        "domain",
        "expires_at",
        "is_great",
        "kept",
        "operator",
        "place",
        "probing",
        "waiting",
    )

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.answer: MxAnswer | None = None
        self.operator: Operator | None = None
        self.is_great = False
        """One of the great mail providers, whose domains do exist."""
        self.expires_at = 0.0
        self.catch_all = Fact.NOT_LOOKED_AT
        self.catch_all_seen: Observation | None = None
        self.catch_all_reading: Reading | None = None
        self.catch_all_at = 0.0
        self.catch_all_until = 0.0
        self.place: Any = None
        """What answers about its mailboxes share, kept here by whoever makes them."""
        self.kept: DomainCard | None = None
        """What `snapshot` returned last."""
        self.probing = False
        """A session is asking for a made-up mailbox of the domain at this moment."""
        self.waiting: list[Case] = []
        """Accepted mailboxes whose answer waits for the catch-all of the domain, which any of them
        may ask for."""

    def knows_catch_all(self, now: float) -> bool:
        """Whether the catch-all answer is known and fresh enough."""
        return self.catch_all is not Fact.NOT_LOOKED_AT and now < self.catch_all_until

    def snapshot(self) -> DomainCard:
        """Return what is known now, in a card that learns no more.

        All who ask get the same one until something changes.
        """
        kept = self.kept
        if (
            kept is None
            or kept.answer is not self.answer
            or kept.catch_all is not self.catch_all
            or kept.catch_all_seen is not self.catch_all_seen
        ):
            kept = self.kept = DomainCard(self.domain)
            kept.answer, kept.operator, kept.is_great = self.answer, self.operator, self.is_great
            kept.catch_all, kept.catch_all_seen = self.catch_all, self.catch_all_seen
            kept.catch_all_reading = self.catch_all_reading
        return kept


class Case:
    """One entry being verified.

    What is not known yet is a default of the class: most entries are decided by few things, and
    setting the others for each would take half of the time it takes to make one.
    """

    tenant = ""
    """Who asks."""
    batch_key = 0
    """The batch it is of; 0 where a caller waits for its answer alone."""
    policy: Policy | None = None
    """What the caller decides himself; None when he leaves it all to us."""
    ruling: Ruling | None = None
    """The caller's rule that decides it."""
    address: Address | None = None
    fault: SyntaxFault | None = None
    membership: Membership | None = None
    card: DomainCard | None = None
    seen: Observation | None = None
    reading: Reading | None = None
    answered = False
    """Whether the last visit brought an observation of it."""
    visits = 0
    passes = 0
    """How often it went back to its route's queue unanswered."""
    complaints = 0
    """How often it went back because its host complained, which says nothing about it alone."""
    forced: EntryStatus | None = None
    """A status of our own that no observation stands for (our egress, our fault)."""
    takes_domains = False
    """Whether the caller lets it be a domain instead of an address."""
    is_domain = False
    """It is one: the address is a mailbox made up to ask about it."""
    abandoned = False
    """Nobody waits for the answer any more: the batch was cancelled, the call ended."""
    recall: Callable[[Case], bool] | None = None
    """Puts in what is remembered of the mailbox; None when the caller wants it asked."""
    remembered_at: float | None = None
    """When what was put in was observed, in seconds since the epoch."""
    tell: Tell | None = None
    """Hears every step. A case that is listened to is visited alone, so that lines about other
    people's addresses never reach the listener."""
    session: asyncio.Task[None] | None = None
    """The session that visits it alone, while somebody listens."""

    def __init__(
        self,
        entry_index: int,
        input_data: str,
        custom: str,
        duplicate_of: int | None,
        attempt: int,
        quality: QualityLevel,
        done: Callable[[Case], None],
        owner: object = None,
    ) -> None:
        self.entry_index = entry_index
        self.input_data = input_data
        self.custom = custom
        self.duplicate_of = duplicate_of
        self.attempt = attempt
        """Visits in earlier attempts; `visits` counts those of this one."""
        self.quality = quality
        self._done: Callable[[Case], None] | None = done
        self.owner = owner

    def conclude(self) -> None:
        """Hand the case back, once: nothing more will be learnt in this attempt."""
        done, self._done = self._done, None
        if done is not None:
            done(self)

    def heard(self, direction: str, text: str) -> None:
        """Pass on a line of the dialogue about this case, as long as somebody listens."""
        if self.tell is not None:
            self.tell(Spoken(direction, text))

    def abandon(self) -> None:
        """Note that nobody waits any more; a session that was held for it alone ends."""
        self.abandoned = True
        self.tell = None
        if self.session is not None:
            self.session.cancel()

    @property
    def concluded(self) -> bool:
        """Whether the case was handed back."""
        return self._done is None
