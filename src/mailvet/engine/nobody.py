"""Mailboxes that nobody has: whether a domain takes mail for any name is asked with one of them."""

import random

from mailvet.model.address import Address, DomainName
from mailvet.model.named import new

_RANDOM = random.Random()  # noqa: S311
_DIGITS = 20
"""So many that nobody has it, few and plain enough for every exchanger's own rules."""
_AT_ONCE = 256
"""Names invented together, which costs a fifth of one by one."""

_names: list[str] = []


def made_up(domain: str) -> Address:
    """Invent a mailbox of a domain that nobody has."""
    if not _names:
        # Nobody gains by guessing one: the source of secrets would cost ten times as much.
        digits = _RANDOM.randbytes(_AT_ONCE * _DIGITS // 2).hex()
        starts = range(0, len(digits), _DIGITS)
        _names.extend([f"v{digits[start : start + _DIGITS]}" for start in starts])
    named = new(DomainName, (domain, domain, domain.startswith("[")))
    return new(Address, (_names.pop(), named))
