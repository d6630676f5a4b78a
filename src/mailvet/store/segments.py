"""Results packed into segments: many results in one row of a table.

A row of a table costs more than the few hundred bytes it holds. A segment is up to `SEGMENT_ROWS`
results that were committed together: their stored bytes one after the other, and the numbers of
each in a head of six columns.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from mailvet.model.batch import ResultFilter, ResultRow
from mailvet.store.chunks import from_blob, packed, to_blob
from mailvet.store.rules import passes

SEGMENT_ROWS = 256
"""The knee of the cost of a result by how many are read at once; some 60 KB."""

_COLUMNS = 5
"""Entry index, status and classification, then three lengths in bytes."""

_HEAD_BYTES = _COLUMNS * 4
"""Of each result."""

_CLASSIFICATION_BITS = 8


class Segment(NamedTuple):
    """Some results as they are kept."""

    heads: bytes
    docs: bytes
    evidence: bytes


class Heads:
    """The numbers of the results in a segment."""

    __slots__ = ("_columns", "count")

    def __init__(self, blob: bytes) -> None:
        self._columns = from_blob(blob)
        self.count = len(self._columns) // _COLUMNS
        """How many results there are."""

    def _column(self, number: int) -> "array[int]":
        return self._columns[number * self.count : (number + 1) * self.count]

    @property
    def indexes(self) -> "array[int]":
        """The entry each result is of."""
        return self._column(0)

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """The status and the classification of each."""
        mask = (1 << _CLASSIFICATION_BITS) - 1
        return [(kind >> _CLASSIFICATION_BITS, kind & mask) for kind in self._column(1)]

    @property
    def doc_lengths(self) -> "array[int]":
        """The bytes of each without its evidence."""
        return self._column(2)

    @property
    def basic_lengths(self) -> "array[int]":
        """The bytes of the BASIC view of each."""
        return self._column(3)

    @property
    def evidence_lengths(self) -> "array[int]":
        """The bytes of the evidence of each."""
        return self._column(4)

    def passing(self, where: ResultFilter) -> list[int]:
        """Return the positions of those that a filter lets through."""
        through = {kind: passes(where, *kind) for kind in set(self.kinds)}
        return [position for position, kind in enumerate(self.kinds) if through[kind]]


def pack(rows: Sequence[ResultRow]) -> Segment:
    """Return results as one segment; there must be at least one."""
    indexes, statuses, classifications, docs, basics, evidence = zip(*rows, strict=True)
    kinds = [
        status << _CLASSIFICATION_BITS | classification
        for status, classification in zip(statuses, classifications, strict=True)
    ]
    columns = [*indexes, *kinds, *map(len, docs), *basics, *map(len, evidence)]
    return Segment(to_blob(packed(columns)), b"".join(docs), b"".join(evidence))


def cut(rows: Sequence[ResultRow]) -> Iterator[Sequence[ResultRow]]:
    """Yield results in runs that fit a segment."""
    for start in range(0, len(rows), SEGMENT_ROWS):
        yield rows[start : start + SEGMENT_ROWS]


def unpack(segment: Segment) -> list[ResultRow]:
    """Return the results of a segment."""
    heads = Heads(segment.heads)
    statuses, classifications = zip(*heads.kinds, strict=True)
    return list(
        map(
            ResultRow,
            heads.indexes,
            statuses,
            classifications,
            _slices(segment.docs, heads.doc_lengths),
            heads.basic_lengths,
            _slices(segment.evidence, heads.evidence_lengths),
        )
    )


def _slices(joined: bytes, lengths: "array[int]") -> list[bytes]:
    ends = accumulate(lengths)
    return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]


class Docs:
    """The stored bytes of the last results of a segment, taken from the front in parts."""

    __slots__ = ("_docs", "_heads", "_lengths", "_offset", "left")

    def __init__(self, heads: bytes, docs: bytes) -> None:
        self._heads = heads
        self._docs = docs
        self._lengths: array[int] | None = None  # of a segment taken as a whole nobody needs them
        self._offset = 0
        self.left = len(heads) // _HEAD_BYTES
        """How many results were not taken yet."""

    def skip(self, count: int) -> None:
        """Leave out so many results."""
        if count:
            self._offset += sum(self._next(count))
            self.left -= count

    def take(
        self, limit: int, max_bytes: int, *, at_least: int = 0
    ) -> "tuple[int, bytes | memoryview]":
        """Take what fits; return how many results that are, and their bytes.

        At most `limit` results of `max_bytes` together, but `at_least` so many.
        """
        count, size = self.left, len(self._docs) - self._offset
        if count > limit or size > max_bytes:
            wanted = self._next(limit)
            count, size = len(wanted), sum(wanted)
            if size > max_bytes:
                count = max(at_least, bisect_right(list(accumulate(wanted)), max_bytes))
                size = sum(wanted[:count])
        start = self._offset
        self._offset += size
        self.left -= count
        if size == len(self._docs):
            return count, self._docs
        return count, memoryview(self._docs)[start : start + size]

    def _next(self, count: int) -> "array[int]":
        if self._lengths is None:
            all_of_it = len(self._heads) // _COLUMNS
            self._lengths = from_blob(self._heads[2 * all_of_it : 3 * all_of_it])
        start = len(self._lengths) - self.left
        return self._lengths[start : start + count]
