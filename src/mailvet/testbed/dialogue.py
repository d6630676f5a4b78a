"""What one scripted mail host can answer, and what it may know about the visitor.

Personalities build `Answer` values from a `Visit`; `mailhost` plays them on the wire.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    """A point of the dialogue at which a host may misbehave, in the order they come."""

    BANNER = "BANNER"
    EHLO = "EHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"


class Kind(StrEnum):
    """What a mailbox is at the host that takes mail for its domain."""

    KNOWN = "known"
    FULL = "full"
    """Over quota for good (552)."""
    FULL_FOR_NOW = "full_for_now"
    """Over quota, worded as passing (452)."""
    DISABLED = "disabled"
    DEFERRED = "deferred"
    """Exists, but answers 450 for ever."""
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    """The host does not take mail for the domain at all."""


class Then(StrEnum):
    """What the host does once an answer is on the wire."""

    STAY = "STAY"
    CLOSE = "CLOSE"
    RESET = "RESET"
    START_TLS = "START_TLS"
    IGNORE = "IGNORE"
    """Keeps the connection and never says another word."""


class Answer(NamedTuple):
    """What is sent, how slowly, and what follows; nothing at all is an answer too."""

    chunks: Iterable[bytes] = ()
    delay_s: float = 0.0
    """Wait before the first chunk."""
    interval_s: float = 0.0
    """Wait between chunks."""
    then: Then = Then.STAY

    @property
    def positive(self) -> bool:
        """Whether it is a reply that says yes (2yz, RFC 5321 4.2.1)."""
        return isinstance(self.chunks, tuple) and b"".join(self.chunks).startswith(b"2")


class Recipient(NamedTuple):
    """One `RCPT TO` as the host understood it."""

    local_part: str
    domain: str
    """Lower-case, as it was sent."""
    kind: Kind

    @property
    def mailbox(self) -> str:
        """The address as it stood between the angle brackets, its domain in lower case."""
        return f"{self.local_part}@{self.domain}"


@dataclass(slots=True)
class Visit:
    """What a host knows of one session while it runs."""

    client: str
    """The visitor's IP address."""
    host: str
    number: int
    """How many sessions this host has had, this one included."""
    now: Callable[[], float]
    """The bed's clock, in seconds."""
    helo: str = ""
    tls: bool = False
    sender: str | None = None
    """None before MAIL; the null sender is the empty string."""
    smtputf8: bool = False
    """Whether MAIL carried the SMTPUTF8 parameter."""
    recipients: list[Recipient] = field(default_factory=list)
    """Accepted in this transaction."""
    recipient_count: int = 0
    """Asked for in this session, accepted or not."""


def reply_bytes(text: str) -> bytes:
    """Turn `550 5.1.1 first\\nsecond` into a reply of one line or many (RFC 5321 4.2.1).

    The first three characters are the code. An enhanced code is repeated on every line, as most
    hosts do (RFC 2034 4).
    """
    code, first, *more = text[:3], *text[4:].split("\n")
    word = first.partition(" ")[0]
    prefix = f"{word} " if word.count(".") == 2 and word.replace(".", "").isdigit() else ""
    lines = [first, *(prefix + line for line in more)]
    last = len(lines) - 1
    wire = "".join(f"{code}{' ' if at == last else '-'}{line}\r\n" for at, line in enumerate(lines))
    return wire.encode()


def say(text: str, then: Then = Then.STAY, delay_s: float = 0.0) -> Answer:
    """Answer with one reply, written as in `reply_bytes`."""
    return Answer((reply_bytes(text),), delay_s=delay_s, then=then)
