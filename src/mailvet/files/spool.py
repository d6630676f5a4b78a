"""Documents kept on disk until they are written, because they arrive in the order of completion.

Memory stays flat: eight bytes an entry. An answer can be asked for by its index, which is how a
duplicate comes to that of its original. Another process can go on with the file.
"""

import os
import struct
from array import array
from collections.abc import Callable, Iterator
from typing import BinaryIO

from mailvet.files.plain import Found, Record

_NOWHERE = -1
_HEAD = struct.Struct("<II")
"""Index and length."""
OWN_FIELDS = ("index", "input_data", "custom", "duplicate_of", "labels")
"""What a duplicate does not take over from its original."""


def packed(index: int, document: bytes) -> bytes:
    """Return a document as a spool's file has it: they can simply be put side by side."""
    return _HEAD.pack(index, len(document)) + document


class Spool:
    """Documents by index in a file, in whatever order they came; the file stays the caller's."""

    def __init__(self, file: BinaryIO) -> None:
        """Start an empty spool, or go on with one that another has filled."""
        self._file = file
        self._places = array("q")
        self._end = 0
        self._find()
        self.count = sum(place != _NOWHERE for place in self._places)
        """How many documents there are."""

    @property
    def size(self) -> int:
        """Indexes are below this."""
        return len(self._places)

    def add(self, index: int, document: bytes) -> None:
        """Keep a document; a second one of the same index replaces the first."""
        self._file.seek(self._end)
        self._file.write(packed(index, document))
        self.count += self._place(index, len(document))

    def get(self, index: int) -> bytes | None:
        """Return a document, None when there is none (yet)."""
        if not 0 <= index < len(self._places) or self._places[index] == _NOWHERE:
            return None
        self._file.seek(self._places[index])
        _, length = _HEAD.unpack(self._file.read(_HEAD.size))
        return self._file.read(length)

    def _place(self, index: int, length: int) -> bool:
        if index >= len(self._places):
            self._places.extend([_NOWHERE] * (index + 1 - len(self._places)))
        is_new = self._places[index] == _NOWHERE
        self._places[index] = self._end
        self._end += _HEAD.size + length
        return is_new

    def _find(self) -> None:
        total = self._file.seek(0, os.SEEK_END)
        while self._end < total:
            self._file.seek(self._end)
            self._place(*_HEAD.unpack(self._file.read(_HEAD.size)))


class Answers:
    """The results of a batch in input order, with the labels of their entries."""

    def __init__(
        self,
        results: Spool,
        decode: Callable[[bytes], Record],
        labels: Callable[[int], dict[str, str]] | None = None,
    ) -> None:
        """`decode` makes a plain result of a document, `labels` knows those of an entry."""
        self._results = results
        self._decode = decode
        self._labels = labels

    @property
    def count(self) -> int:
        """How many results there are."""
        return self._results.count

    def get(self, index: int) -> Record | None:
        """Return the result of an entry, None when there is none."""
        document = self._results.get(index)
        if document is None:
            return None
        found = self._decode(document)
        found["labels"] = self._labels(index) if self._labels else {}
        return found

    def __iter__(self) -> Iterator[Record]:
        for index in range(self._results.size):
            found = self.get(index)
            if found is not None:
                yield found

    def with_original(self, found: Found) -> Found:
        """Return a duplicate with the answer of its original, its own input kept; any other
        result as it is."""
        at = found["duplicate_of"]
        original = self.get(at) if at is not None else None
        if original is None:
            return found
        return {**original, **{name: found[name] for name in OWN_FIELDS}}
