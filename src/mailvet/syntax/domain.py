"""Domain names as they can stand in mail on the public Internet.

Host-name labels (RFC 5321 2.3.5, RFC 1123 2.1), IDNA 2008 (RFC 5891) after the non-transitional
mapping of UTS #46, more than one label (RFC 7085: dotless domains do not work for mail), and a
top level that is not all digits (RFC 3696 2).
"""

import re

import idna

from mailvet.model.address import DomainName, SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax.characters import BEYOND_ASCII, LINE_BREAK, folded, named
from mailvet.syntax.comment import comment_fault
from mailvet.syntax.literal import parse_literal

MAX_DOMAIN_OCTETS = 253
"""RFC 1035 2.3.4: 255 octets on the wire are 253 characters and the dots between them."""

MAX_LABEL_OCTETS = 63
"""RFC 1035 2.3.4."""

_NAME = re.compile(rf"[A-Za-z0-9.\-{BEYOND_ASCII}]*")
_LABEL_AND_DOT = re.compile("([^.\u3002\uff0e\uff61]*)([.\u3002\uff0e\uff61]?)")
"""UTS #46 4, step 2: four characters separate labels."""

_PLAIN_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_NAME = re.compile(rf"(?:{_PLAIN_LABEL}\.)+[a-z]{{2,63}}")


def plain_domain(text: str) -> DomainName | None:
    """Return the domain that a text is if it needs no mapping at all, as most; else None.

    It is for whoever asks to see to its length.
    """
    if "xn--" in text or not _PLAIN_NAME.fullmatch(text):
        return None
    return DomainName(text, text)


def parse_domain(text: str, start: int, end: int) -> DomainName | SyntaxFault:
    """Return the domain that stands in `text` from `start` to `end`, or its first fault."""
    if start == end:
        return _fault(end, "There is no domain after the at sign.")
    if text[start] == "[":
        return parse_literal(text, start, end)
    match = _NAME.match(text, start, end)
    stop = match.end() if match else start
    if stop < end:
        return _empty_label(text, start, stop) or _bad_character(text, stop, end)
    return _parse_name(text, start, end)


def _bad_character(text: str, index: int, end: int) -> SyntaxFault:
    character = text[index]
    if LINE_BREAK.match(text, index):
        return folded(index)
    if character in "()":
        return comment_fault(text, index, end)
    if character == "[":
        status = EntryStatus.UNACCEPTABLE_DOMAIN_LITERAL
        return SyntaxFault(status, index, "An address literal stands alone after the at sign.")
    if character == "@":
        status = EntryStatus.INVALID_CHARACTER_IN_SEQUENCE
        return SyntaxFault(status, index, "There is more than one at sign.")
    return _fault(index, f"A domain cannot contain {named(character)}.")


def _empty_label(text: str, start: int, stop: int) -> SyntaxFault | None:
    """The first empty label that ends with a dot before `stop`."""
    if text[start] == "." and start < stop:
        return _fault(start, "A domain cannot start with a dot.")
    double = text.find("..", start, stop)
    if double < 0:
        return None
    reason = "Two dots cannot follow each other."
    return SyntaxFault(EntryStatus.DOUBLE_DOT_SEQUENCE, double + 1, reason)


def _parse_name(text: str, start: int, end: int) -> DomainName | SyntaxFault:
    empty = _empty_label(text, start, end)
    if empty is not None:
        return empty
    labels: list[str] = []
    octets = -1
    position = start
    while True:
        label, dot = _split(text, position, end)
        if not label:
            return _fault(min(position, end - 1), "A label of a domain cannot be empty.")
        encoded = _encode(label, position)
        if isinstance(encoded, SyntaxFault):
            return encoded
        labels.append(encoded)
        octets += len(encoded) + 1
        if octets > MAX_DOMAIN_OCTETS:
            return _fault(position, f"The domain is longer than {MAX_DOMAIN_OCTETS} octets.")
        if not dot:
            return _top_level_fault(labels, start, position) or _name(labels)
        position += len(label) + 1


def _split(text: str, position: int, end: int) -> tuple[str, str]:
    match = _LABEL_AND_DOT.match(text, position, end)
    return (match.group(1), match.group(2)) if match else ("", "")


def _name(labels: list[str]) -> DomainName:
    ascii_name = ".".join(labels)
    if "xn--" not in ascii_name:
        return DomainName(ascii_name, ascii_name)
    return DomainName(ascii_name, ".".join(map(_readable, labels)))


def _readable(label: str) -> str:
    return idna.ulabel(label) if label.startswith("xn--") else label


def _encode(label: str, start: int) -> str | SyntaxFault:
    """The label in lower-case ASCII, A-label where international."""
    if not label.isascii() or label[:4].lower() == "xn--":
        return _encode_international(label, start)
    if label[0] == "-":
        return _fault(start, "A label of a domain cannot start with a hyphen.")
    if len(label) > MAX_LABEL_OCTETS:
        return _label_too_long(start + MAX_LABEL_OCTETS)
    if label[-1] == "-":
        return _fault(start + len(label) - 1, "A label of a domain cannot end with a hyphen.")
    return label.lower()


def _encode_international(label: str, start: int) -> str | SyntaxFault:
    """By UTS #46 mapping, then IDNA 2008. Long labels go first: punycode is not linear."""
    if len(label) > MAX_DOMAIN_OCTETS:
        return _label_too_long(start + MAX_LABEL_OCTETS)
    try:
        mapped = idna.uts46_remap(label, std3_rules=True, transitional=False)
        if len(mapped) > MAX_LABEL_OCTETS:
            return _label_too_long(start + MAX_LABEL_OCTETS)
        return _encode_mapped(mapped, start)
    except UnicodeError:
        return _not_international(start)


def _encode_mapped(mapped: str, start: int) -> str | SyntaxFault:
    if mapped.isascii() and not mapped.startswith("xn--"):
        if not re.fullmatch(r"[a-z0-9-]+", mapped):
            return _not_international(start)
        return _encode(mapped, start)
    return idna.alabel(mapped).decode("ascii")


def _top_level_fault(labels: list[str], start: int, last: int) -> SyntaxFault | None:
    if len(labels) == 1:
        return _fault(start, "A domain that takes mail has at least two labels (RFC 7085).")
    if labels[-1].isdigit():
        return _fault(last, "A top-level domain is not all digits; an IP address needs brackets.")
    return None


def _not_international(start: int) -> SyntaxFault:
    return _fault(start, "This label is no international name of IDNA 2008, or too long for one.")


def _label_too_long(index: int) -> SyntaxFault:
    return _fault(index, f"A label of a domain has at most {MAX_LABEL_OCTETS} octets.")


def _fault(index: int, reason: str) -> SyntaxFault:
    return SyntaxFault(EntryStatus.DOMAIN_PART_COMPLIANCY_FAILURE, index, reason)
