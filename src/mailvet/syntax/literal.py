"""Address literals such as `[192.0.2.1]` and `[IPv6:2001:db8::1]` (RFC 5321 4.1.3).

General address literals (`[tag:text]`) are refused: no tag beside IPv6 was ever registered.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from mailvet.model.address import DomainName, SyntaxFault
from mailvet.model.status import EntryStatus

_IPV6_TAG = "ipv6:"
_IPV6_CHARACTERS = re.compile(r"[0-9A-Fa-f:.]*")
_IPV4_CHARACTERS = re.compile(r"[0-9.]*")
_TAG = re.compile(r"[A-Za-z0-9-]+:")


def parse_literal(text: str, start: int, end: int) -> DomainName | SyntaxFault:
    """Return the literal from its bracket at `start` to the end of the domain at `end`.

    The address is kept as typed but for the case of its letters. Whether it can be reached from
    the Internet is for routing to say.
    """
    close = text.find("]", start, end)
    if close < 0:
        return _fault(end, "The address literal has no closing bracket.")
    if close + 1 != end:
        return _fault(close + 1, "Nothing can follow the closing bracket of an address literal.")
    inner = text[start + 1 : close]
    if inner[: len(_IPV6_TAG)].lower() == _IPV6_TAG:
        address = inner[len(_IPV6_TAG) :].lower()
        return _ipv6_fault(address, close - len(address)) or _literal(f"[IPv6:{address}]")
    return _ipv4_fault(inner, start + 1) or _literal(f"[{inner}]")


def _literal(spelling: str) -> DomainName:
    return DomainName(spelling, spelling, is_literal=True)


def _ipv6_fault(address: str, start: int) -> SyntaxFault | None:
    readable = _run(_IPV6_CHARACTERS, address)
    if readable < len(address):
        return _fault(start + readable, "An IPv6 address has only hexadecimal digits and colons.")
    try:
        IPv6Address(address)
    except AddressValueError:
        return _fault(start, "This is not an IPv6 address.")
    return None


def _ipv4_fault(inner: str, start: int) -> SyntaxFault | None:
    tag = _TAG.match(inner)
    if tag:
        return _fault(start, "Of tagged address literals only [IPv6:...] is known.")
    readable = _run(_IPV4_CHARACTERS, inner)
    if readable < len(inner):
        return _fault(start + readable, "An address literal holds an IPv4 or tagged IPv6 address.")
    try:
        IPv4Address(inner)
    except AddressValueError:
        return _fault(start, "This is not an IPv4 address.")
    return None


def _run(characters: re.Pattern[str], text: str) -> int:
    match = characters.match(text)
    return match.end() if match else 0


def _fault(index: int, reason: str) -> SyntaxFault:
    return SyntaxFault(EntryStatus.UNACCEPTABLE_DOMAIN_LITERAL, index, reason)
