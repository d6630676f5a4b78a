"""Where mail for a domain goes: DNS truth as plain values."""

from enum import StrEnum
from typing import NamedTuple


class MxOutcome(StrEnum):
    """What DNS says about mail for a domain. Each is told apart from every other."""

    EXCHANGERS = "EXCHANGERS"
    """MX records with at least one address to dial."""
    IMPLICIT = "IMPLICIT"
    """No MX, but A or AAAA: the domain itself is the exchanger (RFC 5321 5.1)."""
    NULL_MX = "NULL_MX"
    """One MX `0 .`: the domain takes no mail (RFC 7505)."""
    NO_DOMAIN = "NO_DOMAIN"
    """NXDOMAIN for the domain."""
    NO_MAIL = "NO_MAIL"
    """The domain exists and has neither a usable MX nor an address."""
    UNROUTABLE = "UNROUTABLE"
    """Every exchanger has only private or reserved addresses, which are never dialled."""
    SERVER_FAILURE = "SERVER_FAILURE"
    """SERVFAIL, REFUSED, lame or broken answers: says nothing about the domain."""
    TIMEOUT = "TIMEOUT"
    """No answer in time: says nothing about the domain."""


class Exchanger(NamedTuple):
    """One mail exchanger and every address it may be dialled at, in the order to try."""

    host: str
    preference: int
    addresses: tuple[str, ...]


class MxAnswer(NamedTuple):
    """What DNS said about mail for one domain."""

    outcome: MxOutcome
    exchangers: tuple[Exchanger, ...] = ()
    """In the order to try: by preference, equal ones shuffled once."""
    hosts: tuple[str, ...] = ()
    """Every exchanger name DNS gave, in preference order, dialled or not."""
    ttl_s: float = 0.0
    """For how long the answer may be kept, in seconds."""
    records: tuple[str, ...] = ()
    """The DNS answers in presentation form, for evidence."""

    @property
    def route(self) -> str:
        """The key of the set of exchangers: domains with the same key share sessions."""
        if len(self.exchangers) == 1:
            return self.exchangers[0].host
        return ",".join(sorted(exchanger.host for exchanger in self.exchangers))
