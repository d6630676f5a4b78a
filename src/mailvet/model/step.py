"""What happens to one address on its way to an answer, for somebody who watches it live."""

from collections.abc import Callable
from typing import NamedTuple

from mailvet.model.address import Address, SyntaxFault
from mailvet.model.finding import Finding
from mailvet.model.result import ListHit, RiskPoint
from mailvet.model.route import MxAnswer
from mailvet.model.status import Fact


class Parsed(NamedTuple):
    """The input was read: as an address, or not."""

    address: Address | None
    fault: SyntaxFault | None
    """What is wrong with it; a provider may refuse what is an address by the RFCs."""
    is_domain: bool = False
    """Whether it is a bare domain: the address is a mailbox made up to ask about it."""


class Listed(NamedTuple):
    """A list has the address."""

    hit: ListHit


class Routed(NamedTuple):
    """It is known where mail for the domain goes."""

    answer: MxAnswer
    mail_provider: str
    """Who runs the exchangers; empty when not known."""
    remembered: bool
    """DNS was asked earlier, and its answer is still good."""


class Spoken(NamedTuple):
    """A line of the dialogue about this address, made printable."""

    direction: str
    """`>` sent, `<` received, `*` a note of ours (as `smtp.Direction`)."""
    text: str


class CatchAllKnown(NamedTuple):
    """It is known whether the domain takes made-up mailboxes, or that it cannot be told."""

    fact: Fact
    age_s: float
    """Seconds since it was learnt."""


class Judged(NamedTuple):
    """A check has spoken."""

    finding: Finding


class Scored(NamedTuple):
    """Something counts towards the risk score."""

    point: RiskPoint


Step = Parsed | Listed | Routed | Spoken | CatchAllKnown | Judged | Scored
Tell = Callable[[Step], None]
"""Hears each step as it happens; called in the event loop, it must return at once."""
