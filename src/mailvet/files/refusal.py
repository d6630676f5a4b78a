"""The one exception of this room: a file that cannot be read or written as asked."""

from mailvet.errors import InvalidRequest, Violation


class FileRefused(InvalidRequest):
    """The file cannot be taken; the text names the file, the row, the limit and the way out."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__([Violation(name, why)])
