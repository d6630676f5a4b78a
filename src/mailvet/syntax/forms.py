"""The other ways people write an address, and the address that stands in them.

Display names and angle brackets (RFC 5322 3.4), `mailto:` links (RFC 6068), comments.
"""

import re

_ANGLED = re.compile(r"<([^<>]*)>[^<>]*\Z")
_MAILTO = re.compile(r"mailto:([^?]*)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()\\]*\)")
_SPACES_AROUND_MARKS = re.compile(r"\s*([@.])\s*")

MAX_FORM_CHARACTERS = 1024
"""Longer than any header line somebody pastes (RFC 5322 2.1.1 has 998): not looked into."""


def inner_address(text: str) -> str | None:
    """Return the text that stands where the address should be in another form, unchecked.

    Knows `Ann <ann@example.org>`, `<ann@example.org>`, `mailto:ann@example.org?...`, comments and
    white space around the at sign and dots. None when the text is in no such form.
    """
    if len(text) > MAX_FORM_CHARACTERS:
        return None
    inner = _unwrapped(text.strip())
    inner = _SPACES_AROUND_MARKS.sub(r"\1", _COMMENT.sub(" ", inner).strip())
    return inner if inner != text.strip() else None


def _unwrapped(text: str) -> str:
    angled = _ANGLED.search(text)
    if angled:
        text = angled.group(1).strip()
    link = _MAILTO.match(text)
    return link.group(1).strip() if link else text


def form_name(text: str) -> str:
    """Return what the form is called, for people; empty when it is none we know."""
    if len(text) > MAX_FORM_CHARACTERS:
        return ""
    if _MAILTO.match(text.strip()):
        return "a mailto link"
    if _ANGLED.search(text):
        return "an address with a display name or angle brackets"
    return ""
