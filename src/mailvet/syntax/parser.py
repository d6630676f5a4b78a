"""Text in, `Address` or `SyntaxFault` out: the Mailbox of RFC 5321 4.1.2 with RFC 6531 and IDNA.

What is accepted is sent byte for byte after `RCPT TO:`. Nothing here raises and all of it is linear
in the length of the text, whatever the text.
"""

import re

from mailvet.model.address import Address, DomainName, SyntaxFault
from mailvet.model.named import new
from mailvet.model.status import EntryStatus
from mailvet.syntax.characters import ATEXT
from mailvet.syntax.domain import parse_domain, plain_domain
from mailvet.syntax.forms import form_name, inner_address
from mailvet.syntax.local_part import (
    MAX_LOCAL_PART_OCTETS,
    excess_dot,
    index_over_octets,
    no_at_sign,
    scan_local_part,
)

MAX_ADDRESS_OCTETS = 254
"""RFC 5321 4.5.3.1.3: a path has 256 octets, its two angle brackets among them."""

TRIMMED = " \t\u00a0\u3000\ufeff"
"""White space that cells of tables carry at their ends, the no-break and the ideographic space and
the byte order mark with it. Line breaks are not trimmed: they would say the input was cut badly."""

_DOT_ATOM = re.compile(rf"[{ATEXT}]++(?:\.[{ATEXT}]++)*+").fullmatch

_MAX_KNOWN_DOMAINS = 100_000
"""About 30 MB when full; a batch of a million addresses has fewer domains than that."""

_MAX_KNOWN_OCTETS = MAX_ADDRESS_OCTETS - MAX_LOCAL_PART_OCTETS - 1
"""A domain no longer than this makes no address too long, so the short way need not add up."""

_known_domains: dict[str, DomainName] = {}


def is_dot_atom(text: str) -> bool:
    """Whether a text is a plain local part (RFC 5321 4.1.2), whatever its length."""
    if text.isalnum() and text.isascii():  # most are, and that is sooner seen
        return True
    return ".." not in text and _DOT_ATOM(text) is not None


def parse(text: str) -> Address | SyntaxFault:
    """Return the address that `text` is, or why it is none and where that shows first.

    White space at the ends is trimmed. The local part is kept exactly as typed; the domain is
    mapped to lower-case A-labels and U-labels. Indexes count characters of `text` from zero.
    Addresses in other forms (display name, `mailto:`) are faults; see `suggest_form`.
    """
    local_part, _, domain = text.partition("@")
    known = _known_domains.get(domain) or _met_first(domain)
    if known is not None:
        if len(local_part) <= MAX_LOCAL_PART_OCTETS and is_dot_atom(local_part):
            return new(Address, (local_part, known))
        if local_part and ":" not in local_part and "<" not in local_part:  # in no other form
            fault = excess_dot(text)
            if fault is not None:
                return fault
    return parse_fully(text)


def _met_first(text: str) -> DomainName | None:
    """The domain that a text is, remembered, if that is plain to see."""
    if len(text) > _MAX_KNOWN_OCTETS:
        return None
    domain = plain_domain(text)
    if domain is not None:
        _remember(text, domain)
    return domain


def parse_fully(text: str) -> Address | SyntaxFault:
    """Return what `parse` returns, without its short way for plain addresses."""
    trimmed_end = text.rstrip(TRIMMED)
    end = len(trimmed_end)
    start = end - len(trimmed_end.lstrip(TRIMMED))
    found = _parse_between(text, start, end)
    if isinstance(found, SyntaxFault):
        return _explained(found, text)
    return found


def _parse_between(text: str, start: int, end: int) -> Address | SyntaxFault:
    if text.find("@", start, end) < 0:
        return no_at_sign(end)
    at = scan_local_part(text, start, end)
    if isinstance(at, SyntaxFault):
        return at
    domain = parse_domain(text, at + 1, end)
    if isinstance(domain, SyntaxFault):
        return domain
    address = Address(text[start:at], domain)
    fault = _too_long(address, text, start, end)
    if fault is not None:
        return fault
    _remember(text[at + 1 : end], domain)
    return address


def _too_long(address: Address, text: str, start: int, end: int) -> SyntaxFault | None:
    """Both spellings count: either may be what stands in the path."""
    longest = max(len(address.mailbox.encode()), len(address.email.encode()))
    if longest <= MAX_ADDRESS_OCTETS:
        return None
    over = index_over_octets(text, start, end, MAX_ADDRESS_OCTETS)
    reason = f"The address is longer than {MAX_ADDRESS_OCTETS} octets."
    index = end - 1 if over is None else over
    return SyntaxFault(EntryStatus.INVALID_ADDRESS_LENGTH, index, reason)


def known_domain(text: str) -> DomainName | None:
    """Return the domain that `text` was found to be of late, if it makes no address too long."""
    return _known_domains.get(text)


def _remember(text: str, domain: DomainName) -> None:
    if max(len(domain.ascii), len(domain.unicode.encode()), len(text)) > _MAX_KNOWN_OCTETS:
        return
    if len(_known_domains) >= _MAX_KNOWN_DOMAINS:
        _known_domains.clear()
    _known_domains[text] = domain


def _explained(fault: SyntaxFault, text: str) -> SyntaxFault:
    """The same fault; where the text is an address in another form, the reason says so."""
    form = form_name(text)
    if not form:
        return fault
    reason = f"This is {form}; give the address alone."
    return SyntaxFault(fault.status, fault.index, reason)


def suggest_form(text: str) -> str | None:
    """Return the valid address that stands in a text of another form, or None.

    For the suggestions of a result: `Ann <ann@example.org>`, `mailto:ann@example.org`, comments,
    white space around the at sign. Never guesses at what was meant.
    """
    inner = inner_address(text)
    if inner is None:
        return None
    found = parse(inner)
    return found.email if isinstance(found, Address) else None
