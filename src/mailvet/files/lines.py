"""Plain lists: one address a line, exactly as it stands there."""

from collections.abc import Iterator
from pathlib import Path

from mailvet.files.limits import MAX_LINE_CHARACTERS
from mailvet.files.rows import RawRow
from mailvet.files.text import lines_of

TOO_LONG = f"the line is longer than {MAX_LINE_CHARACTERS:,} characters"


def read_lines(path: Path, codec: str, ending: str = "") -> Iterator[RawRow]:
    """Yield each line as a row of one cell, without its end; a line that is too long is cut and
    marked so."""
    number, inside = 0, False
    for piece in lines_of(path, codec, ending):
        line = piece.removesuffix(ending) if ending else piece.rstrip("\r\n")
        ended = len(line) < len(piece) or len(piece) < MAX_LINE_CHARACTERS
        if not inside:
            number += 1
            yield RawRow(number, [line], "" if ended else TOO_LONG)
        inside = not ended
