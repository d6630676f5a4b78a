"""The local part: a dot-atom or one quoted string (RFC 5321 4.1.2, RFC 6531 3.3)."""

import re
from functools import lru_cache
from typing import Final

from mailvet.model.address import SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax.characters import (
    ATEXT,
    BEYOND_ASCII,
    WORD,
    bad_international,
    folded,
    misplaced,
    named,
)
from mailvet.syntax.comment import comment_fault

MAX_LOCAL_PART_OCTETS = 64
"""RFC 5321 4.5.3.1.1."""

# qtextSMTP and quoted-pairSMTP of RFC 5321 4.1.2: printable ASCII only, no tab; what is beyond
# ASCII comes from RFC 6531 3.3 and is never escaped.
_QUOTED_CONTENT = re.compile(rf"(?:[\x20\x21\x23-\x5b\x5d-\x7e{BEYOND_ASCII}]++|\\[\x20-\x7e])*+")


_WHOLE_WORDS = re.compile(rf"(?:[{ATEXT}]++\.)*+")
"""The words in ASCII at the start that end with a dot: most of what a mistake stands behind."""


_WORDS: Final = re.compile(rf"[{ATEXT}]++(?:\.[{ATEXT}]++)*+").match


def excess_dot(text: str) -> SyntaxFault | None:
    """Return the fault of a local part whose words in ASCII are all right but for a dot between or
    around them; None for any other text.

    The most frequent mistake, told at a glance; there must be an at sign in `text`, which is not
    trimmed here.
    """
    words = _WORDS(text)
    if words is None:
        return _no_word(text, 0, 0, len(text)) if text[0] == "." else None
    stop = words.end()
    if text[stop] == "." and text[stop + 1] in ".@":
        return _no_word(text, 0, stop + 1, len(text))
    return None


def scan_local_part(text: str, start: int, end: int) -> int | SyntaxFault:
    """Return the index of the at sign that ends the local part, or the first fault before it.

    Reads `text` from `start`; one pass, linear in the length.
    """
    if text.startswith('"', start, end):
        stop = _scan_quoted(text, start, end)
    else:
        stop = _scan_dot_atom(text, start, end)
    if isinstance(stop, SyntaxFault):
        return stop
    return _too_long(text, start, stop) or stop


def _scan_dot_atom(text: str, start: int, end: int) -> int | SyntaxFault:
    words = _WHOLE_WORDS.match(text, start, end)
    position = words.end() if words else start
    while True:
        match = WORD.match(text, position, end)
        stop = match.end() if match else position
        if stop == position:
            return _no_word(text, start, position, end)
        bad = None if text[position:stop].isascii() else bad_international(text, position, stop)
        if bad is not None:
            return misplaced(text, bad)
        if stop == end:
            return no_at_sign(end)
        if text[stop] == "@":
            return stop
        if text[stop] != ".":
            return _bad_character(text, stop, end)
        position = stop + 1


def _no_word(text: str, start: int, position: int, end: int) -> SyntaxFault:
    """The fault where a word should start and none does."""
    if position == end:
        return no_at_sign(end)
    character = text[position]
    if character == "." and position > start:
        return _two_dots(position)
    if character == ".":
        return _boundary(position, "The local part cannot start with a dot.")
    if character == "@" and position > start:
        return _boundary(position - 1, "The local part cannot end with a dot.")
    if character == "@":
        reason = "There is no local part before the at sign."
        return SyntaxFault(EntryStatus.INVALID_LOCAL_PART_LENGTH, position, reason)
    if text.startswith('""', position, end):
        return _empty_quotes(position)
    return _bad_character(text, position, end)


@lru_cache(MAX_LOCAL_PART_OCTETS)
def _two_dots(index: int) -> SyntaxFault:
    reason = "Two dots cannot follow each other."
    return SyntaxFault(EntryStatus.DOUBLE_DOT_SEQUENCE, index, reason)


@lru_cache(MAX_LOCAL_PART_OCTETS)
def _boundary(index: int, reason: str) -> SyntaxFault:
    return SyntaxFault(EntryStatus.INVALID_WORD_BOUNDARY_START, index, reason)


def _scan_quoted(text: str, start: int, end: int) -> int | SyntaxFault:
    content = _QUOTED_CONTENT.match(text, start + 1, end)
    stop = content.end() if content else start + 1
    if stop == end or text[stop] != '"':
        return _unclosed(text, start, stop, end)
    if stop == start + 1:
        return _empty_quotes(start)
    bad = bad_international(text, start + 1, stop, spaces=True)
    if bad is not None:
        return misplaced(text, bad)
    return _after_quotes(text, stop + 1, end)


def _unclosed(text: str, start: int, stop: int, end: int) -> SyntaxFault:
    """The fault at `stop`, where the content of a quoted word broke off before its quote."""
    if stop == end or (text[stop] == "\\" and stop + 1 == end):
        reason = "The quoted word is never closed."
        return SyntaxFault(EntryStatus.UNMATCHED_QUOTED_PAIR, start, reason)
    if text[stop] == "\\":
        reason = f"A backslash cannot stand before {named(text[stop + 1])}."
        return SyntaxFault(EntryStatus.UNEXPECTED_QUOTED_PAIR_SEQUENCE, stop, reason)
    if text[stop] in "\r\n":
        return folded(stop)
    reason = f"A quoted word cannot contain {named(text[stop])}."
    return SyntaxFault(EntryStatus.INVALID_CHARACTER_IN_SEQUENCE, stop, reason)


def _after_quotes(text: str, stop: int, end: int) -> int | SyntaxFault:
    """The at sign must follow: words beside a quoted one are obsolete (RFC 5322 4.4)."""
    if stop == end:
        return no_at_sign(end)
    if text[stop] == "@":
        return stop
    if text[stop] in '."' or WORD.fullmatch(text, stop, stop + 1):
        reason = "Nothing but the at sign can follow a quoted word."
        return SyntaxFault(EntryStatus.INVALID_WORD_BOUNDARY_START, stop, reason)
    return _bad_character(text, stop, end)


def _bad_character(text: str, index: int, end: int) -> SyntaxFault:
    if text[index] in "()":
        return comment_fault(text, index, end)
    return misplaced(text, index)


def _empty_quotes(index: int) -> SyntaxFault:
    reason = "A quoted word cannot be empty."
    return SyntaxFault(EntryStatus.INVALID_EMPTY_QUOTED_WORD, index, reason)


def no_at_sign(end: int) -> SyntaxFault:
    """Return the fault of a text that ends before any at sign."""
    reason = "There is no at sign between a local part and a domain."
    return SyntaxFault(EntryStatus.AT_SIGN_NOT_FOUND, end, reason)


def _too_long(text: str, start: int, stop: int) -> SyntaxFault | None:
    """Octets count as they are sent, in UTF-8 and with the quotes."""
    over = index_over_octets(text, start, stop, MAX_LOCAL_PART_OCTETS)
    if over is None:
        return None
    reason = f"The local part is longer than {MAX_LOCAL_PART_OCTETS} octets."
    return SyntaxFault(EntryStatus.INVALID_LOCAL_PART_LENGTH, over, reason)


def index_over_octets(text: str, start: int, stop: int, limit: int) -> int | None:
    """Return the index of the first character that exceeds `limit` octets of UTF-8, or None."""
    octets = 0
    for index in range(start, min(stop, start + limit + 1)):
        octets += len(text[index].encode("utf-8", "surrogatepass"))
        if octets > limit:
            return index
    return None


_DOT_ATOM = re.compile(rf"[{ATEXT}{BEYOND_ASCII}]++(?:\.[{ATEXT}{BEYOND_ASCII}]++)*+")


def unquoted(local_part: str) -> str | None:
    """Return a valid local part without its quotes; None when it cannot be without them."""
    if not local_part.startswith('"'):
        return local_part
    content = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return content if _DOT_ATOM.fullmatch(content) else None
