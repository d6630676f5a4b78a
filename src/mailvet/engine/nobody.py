"""Mailboxes that nobody has: whether a domain takes mail for any name is asked with one of them."""

import random

from mailvet.model.address import Address, DomainName
from mailvet.model.named import new

_RANDOM = random.Random()  # noqa: S311
_DIGITS = 20
"""So many that nobody has it, few and plain enough for every exchanger's own rules."""


def made_up(domain: str) -> Address:
    """Invent a mailbox of a domain that nobody has."""
    # Nobody gains by guessing it: the system's own source of secrets would cost ten times as much.
    name = f"v{_RANDOM.randbytes(_DIGITS // 2).hex()}"
    named = new(DomainName, (domain, domain, domain.startswith("[")))
    return new(Address, (name, named))
