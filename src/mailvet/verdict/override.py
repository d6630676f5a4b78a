"""Override rules: which one an address matches first, in time linear in the address."""

import re
from collections.abc import Sequence

from mailvet.model.address import Address
from mailvet.model.ruling import OverrideRule

MAX_PATTERN_CHARACTERS = 320
"""As long as the longest address (RFC 5321 4.5.3.1: 64 and 255 octets and the at sign)."""

_END = "\0"
"""Ends each spelling of the domain, and the local part; no address has one."""
_ANY = "[^\0]"
_REST = "[^\0]*+"


class RuleBook:
    """Rules compiled once, as one expression whose alternatives are tried in order."""

    def __init__(self, rules: Sequence[OverrideRule]) -> None:
        """Raises `ValueError` for a pattern that `fault_in` objects to."""
        self.rules = tuple(rules)
        self._matches = re.compile(
            "|".join(f"({_expression(rule.pattern)})" for rule in self.rules) or "(?!)"
        ).match

    def first(self, address: Address) -> int | None:
        """Return the place of the first rule that an address matches, from 0; None for none."""
        domain = address.domain
        # The domain first: most rules name one, and most addresses fail them by its first letter.
        found = self._matches(
            f"{domain.ascii}{_END}{domain.unicode.lower()}{_END}{address.local_part.lower()}{_END}"
        )
        return None if found is None or found.lastindex is None else found.lastindex - 1


def fault_in(pattern: str) -> str | None:
    """Return what is wrong with a pattern, with the way out; None when it is good."""
    if not pattern:
        return "a rule needs a pattern, such as *@example.com or *.edu"
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        return f"{len(pattern)} characters, at most {MAX_PATTERN_CHARACTERS}; shorten it"
    if not pattern.isprintable() or pattern.isspace():
        return "use printable characters only"
    local, at, domain = pattern.rpartition("@")
    if at and not (local and domain):
        return "both sides of the at sign need something; * stands for anything"
    if " " in domain:
        return "a domain has no blanks"
    return None


def _expression(pattern: str) -> str:
    fault = fault_in(pattern)
    if fault is not None:
        raise ValueError(fault)
    local, at, domain = pattern.lower().rpartition("@")
    spelling = _glob(domain)
    if domain.isascii():
        domains = f"{spelling}{_END}{_REST}{_END}"
    else:
        domains = f"{_REST}{_END}{spelling}{_END}"
    return f"{domains}{_glob(local)}{_END}" if at and local != "*" else domains


def _glob(pattern: str) -> str:
    """Return the expression of a wildcard pattern, without any backtracking into a `*`.

    What stands between two `*` is taken where it comes first: if the rest matches at all, it
    matches behind that. The last `*` takes all that is left, which must be enough for the last
    piece, and end with it.
    """
    first, *more = pattern.split("*")
    if not more:
        return _piece(first)
    *middle, last = more
    inner = "".join(f"(?>{_ANY}*?{_piece(piece)})" for piece in middle if piece)
    ending = f"(?={_ANY}{{{len(last)}}}){_REST}(?<={_piece(last)})" if last else _REST
    return f"{_piece(first)}{inner}{ending}"


def _piece(text: str) -> str:
    return "".join(_ANY if character == "?" else re.escape(character) for character in text)
