"""An address after it was parsed: nobody behind `syntax` handles raw text.

The two made for every entry of a batch are tuples, which cost a quarter of a dataclass.
"""

from dataclasses import dataclass
from typing import NamedTuple

from mailvet.model.status import EntryStatus


class DomainName(NamedTuple):
    """A domain in both of its spellings, or an address literal such as `[192.0.2.1]`."""

    ascii: str
    """Lower-case A-label form, as asked of DNS and sent in SMTP; a literal keeps its brackets."""
    unicode: str
    """U-label form, for people; the same as `ascii` where nothing is international."""
    is_literal: bool = False


class Address(NamedTuple):
    """A mailbox that syntax allows (RFC 5321 4.1.2, RFC 6531 3.3)."""

    local_part: str
    """Exactly what is sent before the at sign, quotes and case kept."""
    domain: DomainName

    def __repr__(self) -> str:
        # Whoever prints one while he looks for a fault must not print whose it is.
        return f"Address(<redacted>@{self.domain.ascii})"

    @property
    def email(self) -> str:
        """The clean address for people: local part, at sign, domain in U-labels."""
        return f"{self.local_part}@{self.domain.unicode}"

    @property
    def mailbox(self) -> str:
        """What goes between the angle brackets of `RCPT TO:`: the domain in A-labels."""
        return f"{self.local_part}@{self.domain.ascii}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the local part can only be sent to a host that offers SMTPUTF8 (RFC 6531)."""
        return not self.local_part.isascii()


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """Why a text is not an address, and where that shows first."""

    status: EntryStatus
    index: int
    """Zero-based index, in characters of the input, of the first fault."""
    reason: str
    """One sentence for people."""
