"""A text file as entries: one address a line, read as it is needed."""

from collections.abc import Iterator
from pathlib import Path

from mailvet.v1 import batch_pb2


def entries_of(path: str | Path) -> Iterator[batch_pb2.Entry]:
    """Yield an entry for each line that is not blank; without its end, in UTF-8.

    A byte order mark at the start is no part of the first address. Raises `OSError` and
    `UnicodeError`.
    """
    with Path(path).open(encoding="utf-8-sig", newline=None) as file:
        for line in file:
            text = line.rstrip("\n")
            if text.strip():
                yield batch_pb2.Entry(input_data=text)
