"""Hosts that behave well and speak in their own words, or in words that tell little."""

from dataclasses import dataclass

from mailvet.testbed.dialogue import Answer, Kind, Recipient, Visit
from mailvet.testbed.personalities.plain import Plain


@dataclass(kw_only=True)
class CatchAll(Plain):
    """A small firm whose host takes every local part and sorts it out later."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Unknown mailboxes are as welcome as known ones."""
        kind = Kind.KNOWN if recipient.kind is Kind.UNKNOWN else recipient.kind
        return self.by_kind(visit, recipient._replace(kind=kind))


@dataclass(kw_only=True)
class Bare550(Plain):
    """An appliance that refuses with the phrase of RFC 5321 4.2.3 and never says why."""

    unknown: str = "550 Requested action not taken"


@dataclass(kw_only=True)
class ManyLines(Plain):
    """A host with a legal department: notices in the banner, a page of help in each refusal."""

    banner: str = (
        "220 {host} ESMTP\nUnauthorized use is forbidden.\nAll sessions are logged.\nWelcome."
    )
    unknown: str = (
        "550 5.1.1 <{mailbox}>\nThis recipient does not exist here.\n\nCheck the spelling, or\n"
        "write to the postmaster."
    )


@dataclass(kw_only=True)
class PolicyForStrangers(Plain):
    """A host that guards against directory harvests: guesses are refused as a matter of policy.

    What it says of a made-up mailbox says nothing about the domain's catch-all.
    """

    unknown: str = "550 5.7.1 Message rejected by local policy: client {client} is not trusted"


@dataclass(kw_only=True)
class ExchangeOnline(Plain):
    """Microsoft's directory-based edge blocking: "Access denied" means there is no such mailbox."""

    banner: str = "220 {host} Microsoft ESMTP MAIL Service ready"
    known: str = "250 2.1.5 Recipient OK"
    unknown: str = "550 5.4.1 Recipient address rejected: Access denied. [{host}]"
    full: str = "552 5.2.2 Mailbox full; the recipient has exceeded the storage limit [{host}]"


@dataclass(kw_only=True)
class Gmail(Plain):
    """Google's several lines, the enhanced code on each and its own queue tag at the end."""

    banner: str = "220 {host} ESMTP 4fb4d7f45d1cf-61a - gsmtp"
    known: str = "250 2.1.5 OK 4fb4d7f45d1cf-61a - gsmtp"
    unknown: str = (
        "550 5.1.1 The email account that you tried to reach does not exist. Please try\n"
        "double-checking the recipient's email address for typos or\n"
        "unnecessary spaces. 4fb4d7f45d1cf-61a - gsmtp"
    )
    full: str = (
        "552 5.2.2 The recipient's inbox is out of storage space and inactive.\n"
        "Please direct the recipient to free some. 4fb4d7f45d1cf-61a - gsmtp"
    )
    full_for_now: str = (
        "452 4.2.2 The recipient's inbox is out of storage space.\n"
        "Please direct the recipient to free some. 4fb4d7f45d1cf-61a - gsmtp"
    )
    disabled: str = "550 5.2.1 The email account that you tried to reach\nis inactive. - gsmtp"


@dataclass(kw_only=True)
class Yahoo(Plain):
    """Yahoo's old words: a delivery error in which the provider's name stands for the domain."""

    known: str = "250 recipient <{mailbox}> ok"
    unknown: str = (
        "554 delivery error: dd This user doesn't have a yahoo account ({mailbox}) [0] - {host}"
    )
    disabled: str = (
        "554 delivery error: dd Sorry, your message to {mailbox} cannot be delivered. "
        "This mailbox is disabled (554.30). - {host}"
    )
