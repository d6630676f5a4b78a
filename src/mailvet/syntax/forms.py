"""The other ways people write an address, and the address that stands in them.

Display names and angle brackets (RFC 5322 3.4), `mailto:` links (RFC 6068), comments, stray white
space, and the punctuation that text around an address leaves behind.
"""

import re
from urllib.parse import unquote

_ANGLED = re.compile(r"[^<>]*<([^<>]*)>[^<>]*")
_MAILTO = re.compile(r"mailto:([^?]*)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()\\]*\)")
_MARKS = re.compile("([@.\uff20])")
_BEFORE = " \t\r\n\u00a0\u3000\ufeff\u200b,;:'\u2018\u2019\u201c\u201d"
_AFTER = _BEFORE + "."
"""What sentences, lists and cells leave around an address. U+200B comes along when an address is
copied from a web page. A dot in front is left: the name it belonged to may have been longer."""

_UNDRESSED = re.compile(r"[\w!#$%&*/=?^`{|}~+@.-]*+(?<!\.)", re.ASCII).fullmatch
"""Nothing that is taken off below: most texts that are no addresses are plain mistakes."""

MAX_FORM_CHARACTERS = 1024
"""Longer than any header line somebody pastes (RFC 5322 2.1.1 has 998): not looked into."""


def inner_address(text: str) -> str | None:
    """Return the text that stands where the address should be in another form, unchecked.

    Knows `Ann <ann@example.org>`, `<ann@example.org>`, `mailto:ann@example.org?...`, comments,
    white space around the at sign and dots, punctuation around it all, and the full-width at sign.
    None when nothing but an address stands there, or more than one address in angle brackets.
    """
    if _UNDRESSED(text) or len(text) > MAX_FORM_CHARACTERS:
        return None
    inner = _bare(_COMMENT.sub(" ", _unwrapped(text)))
    if inner.count('"') == 2 and inner[0] == inner[-1] == '"':
        inner = inner[1:-1]
    inner = "".join(part.strip() for part in _MARKS.split(inner)).replace("\uff20", "@")
    return inner if inner and inner != text else None


def _unwrapped(text: str) -> str:
    angled = _ANGLED.fullmatch(text)
    inner = _bare(angled.group(1) if angled else text)
    link = _MAILTO.match(inner)
    return unquote(link.group(1)) if link else inner


def _bare(text: str) -> str:
    return text.lstrip(_BEFORE).rstrip(_AFTER)


def form_name(text: str) -> str:
    """Return what the form is called, for people; empty when it is none that has a name."""
    if ("<" not in text and ":" not in text) or len(text) > MAX_FORM_CHARACTERS:
        return ""
    if _MAILTO.match(text.strip()):
        return "a mailto link"
    if _ANGLED.fullmatch(text):
        return "an address with a display name or angle brackets"
    return ""
