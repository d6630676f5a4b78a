"""Which characters may stand where in a mailbox, and how a misplaced one is reported.

ASCII by RFC 5321 4.1.2 and RFC 5322 3.2.3; beyond ASCII, RFC 6531 allows every code point and we
take what RFC 8264 4.3 (FreeformClass) leaves: no controls, surrogates, private or unassigned
code points, and joiners only where IDNA allows them.
"""

import re
import unicodedata

import idna

from mailvet.model.address import SyntaxFault
from mailvet.model.status import EntryStatus

ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
"""RFC 5322 3.2.3, as the inside of a character class."""

BEYOND_ASCII = r"\x80-\U0010ffff"

WORD = re.compile(f"[{ATEXT}{BEYOND_ASCII}]*")

LINE_BREAK = re.compile(r"[ \t]*+[\r\n]")
"""A line break with the white space before it, as header folding leaves it."""

_LETTERS_NUMBERS_PUNCTUATION_SYMBOLS = frozenset("LNPS")
_JOINERS = "\u200c\u200d"

_MAX_LOOKED_AT = 65
"""A word of more characters is over the 64 octets of a local part whatever it is made of."""


def bad_international(text: str, start: int, end: int, *, spaces: bool = False) -> int | None:
    """Return the index of the first character beyond ASCII that cannot stand in a word.

    A combining mark cannot come first: it would attach to what stands before the word. `spaces`
    allows space separators, as in quoted words. None when all may stand.
    """
    end = min(end, start + _MAX_LOOKED_AT)
    for index in range(start, end):
        character = text[index]
        if character >= "\x80" and not _may_stand(text, index, start, end, spaces):
            return index
    return None


def _may_stand(text: str, index: int, start: int, end: int, spaces: bool) -> bool:
    category = unicodedata.category(text[index])
    if category[0] in _LETTERS_NUMBERS_PUNCTUATION_SYMBOLS:
        return True
    if category[0] == "M":
        return index > start
    if text[index] in _JOINERS:
        # RFC 5892 A.1 and A.2: Persian and Indic spelling needs joiners between certain letters.
        return idna.valid_contextj(text[start:end], index - start)
    return spaces and category == "Zs"


def named(character: str) -> str:
    """Return the character as people can read it: itself, or its code point when invisible."""
    if character.isprintable() and character != " ":
        return f"'{character}'"
    if character == " ":
        return "a space"
    return f"U+{ord(character):04X}"


def misplaced(text: str, index: int) -> SyntaxFault:
    """Return the fault of the character at `index`, which cannot stand in a local part."""
    character = text[index]
    if LINE_BREAK.match(text, index):
        return folded(index)
    if character == '"':
        reason = "A quoted word starts where none can start; only a whole local part is quoted."
        return SyntaxFault(EntryStatus.INVALID_WORD_BOUNDARY_START, index, reason)
    reason = f"The local part cannot contain {named(character)} outside quotes."
    return SyntaxFault(EntryStatus.INVALID_CHARACTER_IN_SEQUENCE, index, reason)


def folded(index: int) -> SyntaxFault:
    """Return the fault of a line break, which belongs to message headers (RFC 5322 2.2.3)."""
    reason = "A line break (folding white space) cannot stand in an address."
    return SyntaxFault(EntryStatus.INVALID_FOLDING_WHITE_SPACE_SEQUENCE, index, reason)
