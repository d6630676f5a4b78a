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
    columns = packed(indexes)
    columns.extend(
        [
            status << _CLASSIFICATION_BITS | classification
            for status, classification in zip(statuses, classifications, strict=True)
        ]
    )
    columns.extend(map(len, docs))
    columns.extend(basics)
    columns.extend(map(len, evidence))
    return Segment(to_blob(columns), b"".join(docs), b"".join(evidence))


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


def joined(
    heads: Heads, docs: bytes, start: int, *, limit: int, max_bytes: int
) -> tuple[int, bytes]:
    """Return how many results from position `start` on fit, and their docs as they are kept.

    At most `limit` results of `max_bytes` together; the first always fits.
    """
    lengths = heads.doc_lengths
    if not start and len(lengths) <= limit and len(docs) <= max_bytes:
        return len(lengths), docs
    first = sum(lengths[:start])
    wanted = lengths[start : start + limit]
    size = sum(wanted)
    if size > max_bytes:
        count = max(1, bisect_right(list(accumulate(wanted)), max_bytes))
        wanted = wanted[:count]
        size = sum(wanted)
    return len(wanted), docs[first : first + size]
