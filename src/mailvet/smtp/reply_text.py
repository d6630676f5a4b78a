"""What of a reply's text is language: words without codes, addresses, hosts and links.

What is cut out leaves a mark where it is itself a subject: an address, an IP address, a host.
"""

import re
import unicodedata
from functools import lru_cache

MAX_CHARS = 2048
"""Texts are cut here: the longest real replies, several lines with links, stay under 1 KiB."""

ADDRESS_MARK = "addressmark"
IP_MARK = "ipmark"
HOST_MARK = "hostmark"
BREAK = "|"
"""Stands between two sentences."""

_WRAPPED_CHARS = 56
"""A line as long as this goes on in the next one; a shorter one ends a sentence."""

_CHUNKS_KEPT = 16_384
"""Hosts use few words: nearly every chunk between two spaces was seen before."""

_TLD = (
    "com|net|org|edu|gov|mil|info|biz|io|de|fr|uk|jp|cn|ru|pl|es|pt|br|ar|mx|ca|au|nz|ch|nl|se"
    "|dk|fi|cz|sk|hu|ro|ee|lt|lv|ua|tr|kr|tw|hk|sg|eu|local|lan|internal|arpa|example|test"
)
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_LINE_CODE = re.compile(r"^[2-5]\d\d-")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_CUT = re.compile(
    r"(?P<url>(?:https?://|www\.)[^<>\"]{1,300})"
    r"|(?P<address><[^<>]{1,320}>"
    r"|(?<![\w.+=\-])[\w+=\-]{1,64}(?:\.[\w+=\-]{1,64}){0,9}@[\w.\-]{1,255})"
    r"|(?P<ip>\[?(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)\]?"
    r"|\[?(?:ipv6:)?(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}\]?)"
    rf"|(?P<host>(?<![\w.])(?:[\w\-]{{1,63}}\.){{1,8}}(?:{_TLD})(?![\w\-]))",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(ca|do|does|did|is|are|was|were|has|have|had|could|would|should|wo)n['’`]?t\b"
)
_CANNOT = re.compile(r"\bcan(?:not|['’`]?t)\b")
_MARKS = re.compile("[\u0300-\u036f\u3099\u309a]")
_WORD = re.compile(
    r"[a-z0-9\u00df-\u024f\u0370-\u03ff\u0400-\u04ff]+"
    r"|[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff]|[.;!?](?=\s|$)"
)
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "ı": "i"})


_NAME_CHARS = 320
_NAMED = re.compile(rf"<[^<>\s]{{1,{_NAME_CHARS}}}>")
"""The mailbox a reply speaks of: an address whatever it is, and no language."""


def without_names(text: str) -> str:
    """Return a text with an empty address for each in angle brackets: most refusals differ in it
    alone."""
    begin = text.find("<")
    if begin < 0:
        return text
    end = text.find(">", begin)
    name = text[begin + 1 : end]
    # Mostly there is one, and plain; the expression takes three times as long to say the same.
    if 0 < len(name) <= _NAME_CHARS and name.isprintable() and " " not in name:
        rest = text[end + 1 :]
        if end > 0 and "<" not in name and "<" not in rest and name.isascii():
            return f"{text[:begin]}<@>{rest}"
    return _NAMED.sub("<@>", text)


def enhanced_in(text: str) -> str | None:
    """Return the first enhanced status code anywhere in a text, such as `5.1.1` (RFC 3463 2)."""
    found = _ENHANCED.search(text)
    return found.group(1) if found else None


def words_of(text: str, linked: frozenset[str]) -> list[str]:
    """Return the words of a reply in order, lower case, without accents.

    Sentences are parted by `BREAK`; of links and host names only the words in `linked` stay
    (the names of block lists). Numbers are dropped. Any text will do.
    """
    words: list[str] = []
    for line in text[:MAX_CHARS].splitlines():
        for chunk in line.split():
            words += _words_of_chunk(chunk, linked)
        if len(line) < _WRAPPED_CHARS:
            words.append(BREAK)
    return words[:-1] if words and words[-1] == BREAK else words


def fold(text: str) -> str:
    """Return a text in lower case, without accents, with its English negations spelled out."""
    text = text.lower()
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
    text = _CANNOT.sub("can not", text)
    return _NEGATION.sub(r"\1 not", text)


@lru_cache(maxsize=_CHUNKS_KEPT)
def _words_of_chunk(chunk: str, linked: frozenset[str]) -> tuple[str, ...]:
    plain = _CUT.sub(lambda cut: _stand_in(cut, linked), _LINE_CODE.sub("", chunk))
    plain = fold(_CAMEL.sub(" ", _ENHANCED.sub(" ", plain)))
    return tuple(
        BREAK if word in ".;!?" else word for word in _WORD.findall(plain) if not word.isdecimal()
    )


def _stand_in(cut: re.Match[str], linked: frozenset[str]) -> str:
    if cut.lastgroup == "address":
        return f" {ADDRESS_MARK} "
    if cut.lastgroup == "ip":
        return f" {IP_MARK} "
    kept = [word for word in re.findall(r"[a-z]+", cut.group().lower()) if word in linked]
    if cut.lastgroup == "host" and not kept:
        return f" {HOST_MARK} "
    return f" {' '.join(kept)} "
