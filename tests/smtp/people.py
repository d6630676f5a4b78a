"""Who takes part in the dialogues: us, and mailboxes."""

from mailvet.model.address import Address, DomainName
from mailvet.model.route import Exchanger
from mailvet.smtp import Envelope, Identity, VisitLimits

US = Identity(helo="us.test")


def mailbox(text: str) -> Address:
    """Return the address that is spelt so."""
    local_part, _, domain = text.rpartition("@")
    return Address(local_part, DomainName(domain, domain, domain.startswith("[")))


def envelope(*recipients: str, made_up: str | None = None) -> Envelope:
    """Return the envelope of mailboxes of one domain."""
    domain = recipients[0].rpartition("@")[2]
    return Envelope(
        domain,
        tuple(mailbox(each) for each in recipients),
        mailbox(f"{made_up}@{domain}") if made_up else None,
    )


QUICK = VisitLimits().scaled(0.02)
"""Deadlines for loopback: 0.4 seconds for a command."""


def exchanger(host: str, *addresses: str, preference: int = 10) -> Exchanger:
    """Return an exchanger as DNS would give it."""
    return Exchanger(host=host, preference=preference, addresses=addresses)
