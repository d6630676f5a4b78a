"""What is to be asked about one domain, and the exact bytes that ask it."""

import unicodedata
from typing import NamedTuple

from mailvet.model.address import Address


class Envelope(NamedTuple):
    """The recipients of one transaction: one domain, distinct mailboxes."""

    domain: str
    """The A-label domain; the key of the made-up mailbox's observation."""
    recipients: tuple[Address, ...]
    made_up: Address | None = None
    """A mailbox nobody has, asked last; None where the catch-all answer is known."""


def rcpt_line(address: Address) -> bytes:
    """Return the RCPT command for an address, without the line end.

    Exactly the bytes that were validated: local part in UTF-8, domain in A-labels, nothing added,
    folded or rewritten. Raises `AssertionError` for bytes that could say anything else than this
    one mailbox (a control character; a space or angle bracket outside quotes): syntax lets none
    of them through, so it is a fault of ours, found before anything is sent.
    """
    local_part, (ascii_domain, _, _) = address
    mailbox = f"{local_part}@{ascii_domain}"  # `address.mailbox`, without a property on the way
    if not (mailbox.isascii() and mailbox.isprintable() and _is_plain(mailbox)):
        _check(mailbox)
    return b"RCPT TO:<" + mailbox.encode() + b">"


def mail_line(sender: str, *, smtputf8: bool) -> bytes:
    """Return the MAIL command for a checked sender, without the line end."""
    line = b"MAIL FROM:<" + sender.encode("ascii") + b">"
    return line + b" SMTPUTF8" if smtputf8 else line


def _is_plain(mailbox: str) -> bool:
    # Spelt out: a loop over the marks takes five times as long, and every recipient passes here.
    return not (" " in mailbox or "<" in mailbox or ">" in mailbox or '"' in mailbox)


def _check(mailbox: str) -> None:
    quoted = escaped = False
    for character in mailbox:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise AssertionError("a mailbox with a control character got past the syntax check")
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character in " <>" and not quoted:
            raise AssertionError("a mailbox with a bare space or bracket got past the syntax check")
    if quoted or escaped:
        raise AssertionError("a mailbox with an open quote got past the syntax check")
