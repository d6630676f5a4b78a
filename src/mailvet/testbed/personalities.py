"""How mail hosts of the real world behave towards a stranger who asks about mailboxes.

Each class is one behaviour; its fields are the options a world may set. A host has one instance,
so state (greylists, counters) lives as long as the bed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from mailvet.testbed.dialogue import Answer, Kind, Recipient, Visit, say


@dataclass(kw_only=True)
class Plain:
    """An honest host: takes what it knows, refuses the rest with a clear 550 5.1.1."""

    banner: str = "220 {host} ESMTP ready"
    known: str = "250 2.1.5 Ok"
    unknown: str = "550 5.1.1 <{mailbox}>: Recipient address rejected: User unknown"
    full: str = "552 5.2.2 <{mailbox}>: Mailbox is over quota"
    full_for_now: str = "452 4.2.2 <{mailbox}>: The mailbox is full, user is over quota"
    disabled: str = "550 5.2.1 <{mailbox}>: The account is disabled"
    deferred: str = "450 4.2.0 <{mailbox}>: Mailbox busy, try again later"
    foreign: str = "554 5.7.1 <{mailbox}>: Relay access denied"

    def greet(self, visit: Visit) -> Answer:
        """Answer the connection itself."""
        return say(self.banner.format(host=visit.host))

    def hello(self, visit: Visit, offered: tuple[str, ...] | None) -> Answer:
        """Answer EHLO with what is offered; None stands for HELO, which offers nothing."""
        return say("\n".join([f"250 {visit.host}", *(offered or ())]))

    def mail(self, visit: Visit) -> Answer:
        """Answer MAIL; `visit.sender` is the one just named."""
        return say(f"250 2.1.0 <{visit.sender}> Ok")

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Answer RCPT; a first digit of 2 makes the recipient part of the transaction."""
        return self.by_kind(visit, recipient)

    def by_kind(self, visit: Visit, recipient: Recipient) -> Answer:
        """The words this host has for this kind of mailbox."""
        words: str = getattr(self, recipient.kind.value)
        return say(words.format(host=visit.host, mailbox=recipient.mailbox, client=visit.client))


@dataclass(kw_only=True)
class CatchAll(Plain):
    """A small firm whose host takes every local part and sorts it out later."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Unknown mailboxes are as welcome as known ones."""
        kind = Kind.KNOWN if recipient.kind is Kind.UNKNOWN else recipient.kind
        return self.by_kind(visit, recipient._replace(kind=kind))


PERSONALITIES: dict[str, type[Plain]] = {
    "plain": Plain,
    "catch_all": CatchAll,
}
"""Every personality by the name a world uses; `closed` hosts have none, since nothing listens."""


def make_personality(name: str, options: Mapping[str, object]) -> Plain:
    """A fresh personality; raises `TypeError` for an option it has not, or of another type."""
    chosen = PERSONALITIES[name]
    defaults = {field.name: field.default for field in fields(chosen)}
    for option, value in options.items():
        if option not in defaults:
            raise TypeError(f"{option!r} is no option of {name}; it has {', '.join(defaults)}")
        kind = type(defaults[option])
        if not isinstance(value, (int, float) if kind is float else kind):
            raise TypeError(f"{option!r} must be a {kind.__name__}, not {value!r}")
    make: Callable[..., Plain] = chosen
    return make(**options)


CLOSED = "closed"
"""The personality of a host whose port refuses connections."""
