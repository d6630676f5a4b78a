"""How hand tools read and write: arguments or lines of standard input, one answer each, in order.

A line that makes no sense is answered too, with an `error`, so that answers can be laid beside
their lines.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Asked = dict[str, Any]
Found = dict[str, Any]

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""JSON lets them stand, many readers of lines end a line at them."""
_DECODE = json.JSONDecoder().decode


class NotUnderstood(ValueError):
    """An input that asks nothing; the text says how to write it."""


def answer_each(
    arguments: argparse.Namespace,
    from_text: Callable[[str], Asked],
    answer: Callable[[Asked], Found],
) -> int:
    """Print an answer to each input; returns 1 when one of them made no sense.

    `from_text` turns an argument or a plain line into what a JSON line would have said; it and
    `answer` raise `NotUnderstood` with a sentence when they cannot.
    """
    wrong = 0
    for asked in questions(arguments, from_text):
        try:
            found = asked if "error" in asked else answer(asked)
        except NotUnderstood as error:
            found = {"error": str(error)}
        wrong += "error" in found
        print_found(found, arguments)
    return 1 if wrong else 0


def questions(arguments: argparse.Namespace, from_text: Callable[[str], Asked]) -> Iterator[Asked]:
    """Yield what each input asks; one that makes no sense is `{"error": SENTENCE}`."""
    read = _from_json if arguments.json and not arguments.inputs else from_text
    for text in arguments.inputs or _standard_input():
        try:
            yield read(text)
        except NotUnderstood as error:
            yield {"error": str(error)}


def field(asked: Asked, name: str, kind: type | tuple[type, ...], example: str) -> Any:
    """Return a field of a JSON line; raises `NotUnderstood` when it is missing or another kind."""
    value = asked.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise NotUnderstood(f"`{name}` is missing or of the wrong kind: write {example}")
    return value


def json_line(found: Found) -> str:
    """Return one JSON object on what everybody takes for one line."""
    text = _ENCODE(found)
    return text if text.isascii() else text.translate(_LINE_ENDS)


def print_found(found: Found, arguments: argparse.Namespace) -> None:
    """Print one answer: a JSON line, or a block for people that leaves out what is empty."""
    if arguments.json:
        sys.stdout.write(json_line(found) + "\n")
        return
    width = max(len(name) for name in found)
    for name, value in found.items():
        if value not in (None, "", [], False):
            first, *rest = value if isinstance(value, list) else [value]
            print(f"{name:<{width}}  {_shown(first)}")
            for item in rest:
                print(f"{'':<{width}}  {_shown(item)}")
    print()


def printable(text: str) -> str:
    """The text with control characters shown, so that a list cannot command a terminal."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


def _standard_input() -> Iterable[str]:
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def _from_json(line: str) -> Asked:
    try:
        loaded = _DECODE(line)
    except ValueError as error:
        raise NotUnderstood(f"the line is no JSON: {error}") from None
    except RecursionError:
        raise NotUnderstood("the line is no JSON: it is nested too deeply") from None
    if not isinstance(loaded, dict):
        raise NotUnderstood("the line must be one JSON object")
    loaded.pop("error", None)
    return loaded


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_shown(item) for item in value.values())
    return printable(str(value))
