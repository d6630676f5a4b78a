"""The places of a world as frozen values: zones that DNS answers for, and mail hosts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailvet.testbed.dialogue import Kind

DEFAULT_EXTENSIONS = ("PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
"""What a host offers after EHLO when the world does not say; about what a stock Postfix does."""


class Behaviour(StrEnum):
    """How the name server treats questions about a zone."""

    ANSWER = "answer"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    """Never answers."""
    TRUNCATE = "truncate"
    """An empty answer with TC set over UDP, the whole one over TCP (RFC 2181 9)."""
    WRONG_ID = "wrong_id"
    """Answers under another id, as a forger or a broken middlebox does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MxRecord:
    """One MX record; the host is an A-label name."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Everything DNS says about one name. All names are lower-case A-labels."""

    domain: str
    """A first label of `*` answers for every name below that has no zone of its own."""
    mx: tuple[MxRecord, ...] = ()
    null_mx: bool = False
    """Answers MX `0 .` (RFC 7505)."""
    a: tuple[str, ...] = ()
    aaaa: tuple[str, ...] = ()
    cname: str | None = None
    txt: tuple[str, ...] = ()
    behaviour: Behaviour = Behaviour.ANSWER
    only: frozenset[str] = frozenset()
    """The query types that `behaviour` and `delay_s` touch; empty for all."""
    delay_s: float = 0.0
    ttl_s: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One mail host: where it listens, what it takes mail for, and how it behaves."""

    name: str
    addresses: tuple[str, ...]
    """Loopback addresses; the host listens on each, and DNS answers with them."""
    personality: str = "plain"
    options: Mapping[str, object] = field(default_factory=dict)
    """Fields of the personality class."""
    preference: int = 10
    """The MX preference in zones that are made up from `domains`."""
    domains: frozenset[str] = frozenset()
    mailboxes: Mapping[str, Kind] = field(default_factory=dict)
    """Lower-case local part -> kind, the same in each of the domains."""
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS

    def kind_of(self, local_part: str, domain: str) -> Kind:
        """What the mailbox is here; the domain may be spelt in A-labels or U-labels."""
        if a_label(domain) not in self.domains:
            return Kind.FOREIGN
        if local_part.startswith('"') and local_part.endswith('"'):  # RFC 5321 4.1.2: same mailbox
            local_part = local_part[1:-1].replace("\\", "")
        return self.mailboxes.get(local_part.lower(), Kind.UNKNOWN)


def a_label(name: str) -> str:
    """The lower-case A-label form of a domain name (`bücher.test` -> `xn--bcher-kva.test`).

    Raises `UnicodeError` for what cannot be a domain name.
    """
    name = name.rstrip(".").lower()
    return name if name.isascii() else name.encode("idna").decode()
