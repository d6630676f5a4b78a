"""How a dialogue is written down: what a stranger said can never speak for itself again."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from mailvet.model.reply import Reply

MAX_LINE_CHARS = 512
"""The longest reply line RFC 5321 4.5.3.1.5 allows; what a host says beyond is its own affair."""


class Direction(StrEnum):
    """Who spoke."""

    SENT = ">"
    RECEIVED = "<"
    NOTE = "*"
    """Nobody: something happened."""


class Line(NamedTuple):
    """One line of a transcript, printable."""

    direction: Direction
    text: str


OnLine = Callable[[Direction, str], None]


def tell_reply(on_line: OnLine, reply: Reply) -> None:
    """Tell every line of a reply, as it was on the wire."""
    *more, last = reply.text.split("\n")
    for line in more:
        on_line(Direction.RECEIVED, printable(f"{reply.code}-{line}"))
    on_line(Direction.RECEIVED, printable(f"{reply.code} {last}"))


def printable(text: str) -> str:
    """Return the text on one line, at most 512 characters, with nothing a terminal or log obeys.

    Control characters (ANSI sequences begin with one), line ends, bidirectional and other
    invisible marks, and bytes that were not UTF-8 appear as escapes.
    """
    if not (text.isascii() and text.isprintable()):
        # Escapes lengthen only: nothing beyond the limit can come back into it.
        text = "".join(map(_escape, text[:MAX_LINE_CHARS]))
    return text if len(text) <= MAX_LINE_CHARS else text[: MAX_LINE_CHARS - 1] + "…"


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
