"""The honest host that every other personality departs from in one respect."""

from dataclasses import dataclass

from mailvet.testbed.dialogue import Answer, Recipient, Visit, say


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
        return say(fill(self.banner, visit))

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
        return say(fill(words, visit, recipient))


def fill(text: str, visit: Visit, recipient: Recipient | None = None) -> str:
    """Put `{host}`, `{client}`, `{helo}`, `{sender}` and `{mailbox}` into a reply."""
    return text.format(
        host=visit.host,
        client=visit.client,
        helo=visit.helo,
        sender=visit.sender,
        mailbox=recipient.mailbox if recipient else "",
    )
