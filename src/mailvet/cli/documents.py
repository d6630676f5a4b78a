"""JSON objects one after the other, from an argument, a file or standard input as they come."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mailvet.errors import ConfigError

Document = dict[str, Any]

_DECODER = json.JSONDecoder()


def documents(source: str) -> Iterator[Document]:
    """Yield the objects of `-` (standard input), `@FILE`, or JSON itself.

    Those of standard input come as soon as each is complete. Raises `ConfigError` when something
    is no JSON object.
    """
    if source == "-":
        return parsed(sys.stdin)
    if source.startswith("@"):
        return parsed([Path(source[1:]).read_text("utf-8")])
    return parsed([source])


def parsed(pieces: Iterable[str]) -> Iterator[Document]:
    """Yield the objects of a text that comes in pieces; `ConfigError` for anything else."""
    text = ""
    for piece in pieces:
        text += piece
        if piece.rstrip().endswith("}"):  # else no object is complete by it
            found, text = _whole(text)
            yield from found
    found, text = _whole(text)
    yield from found
    if text:
        raise ConfigError(_fault(text))


def _fault(text: str) -> str:
    try:
        _DECODER.raw_decode(text)
    except ValueError as error:
        return f"this is no JSON: {text.strip()[:60]!r}: {error}"
    return f"a message is a JSON object, this is not: {text.strip()[:60]!r}"


def _whole(text: str) -> tuple[list[Document], str]:
    """The objects at the beginning of a text, and the rest."""
    found = []
    while (text := text.lstrip()).startswith("{"):
        try:
            document, end = _DECODER.raw_decode(text)
        except ValueError:
            break
        except RecursionError:
            raise ConfigError("the JSON is nested too deeply") from None
        found.append(document)
        text = text[end:]
    return found, text
