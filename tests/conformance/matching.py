"""Whether what was seen is what is expected: a mapping has at least these, a list just these."""

import re
from collections.abc import Iterator
from string import Template
from typing import Any

AS_FIRST = "=first"
"""Expected of a value that is to be the one that the first of several messages has."""
PATTERN = "~"
"""A text that begins with it is a regular expression; it must match somewhere."""


def differences(expected: Any, actual: Any, *, first: Any = None, at: str = "") -> Iterator[str]:
    """Yield a line for everything that is other than expected; null expects nothing there."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            before = first.get(name) if isinstance(first, dict) else None
            yield from differences(value, actual.get(name), first=before, at=f"{at}.{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{at}: {len(actual)} where {len(expected)} are expected: {actual}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, at=f"{at}[{number}]")
    elif not _fits(expected, actual, first):
        yield f"{at}: {actual!r} is not {expected!r}"


def _fits(expected: Any, actual: Any, first: Any) -> bool:
    if expected == AS_FIRST:
        return bool(actual) and actual == first
    if isinstance(expected, str) and expected.startswith(PATTERN):
        return isinstance(actual, str) and re.search(expected[1:], actual) is not None
    return bool(expected == actual)


def filled(document: Any, words: dict[str, str]) -> Any:
    """A document with `$word` in each text replaced."""
    if isinstance(document, dict):
        return {filled(name, words): filled(value, words) for name, value in document.items()}
    if isinstance(document, list):
        return [filled(one, words) for one in document]
    return Template(document).safe_substitute(words) if isinstance(document, str) else document
