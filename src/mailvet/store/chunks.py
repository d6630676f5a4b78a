"""How a batch is cut into chunks, and what a settlement leaves of one; no I/O.

Indexes are kept as packed 32-bit numbers, so that a million entries are four megabytes and not a
million objects.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from mailvet.model.batch import Deferral, ResultRow, Settlement

Indexes: TypeAlias = "array[int]"
"""Packed 32-bit numbers."""

OFFLINE_CHUNK_SIZE = 1_000
"""Entries without a domain and duplicates need no network: larger chunks cost fewer claims."""

_GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio spread most evenly (Weyl sequence)."""


class Cut(NamedTuple):
    """One chunk to be queued."""

    indexes: Indexes
    originals: "Indexes | None" = None
    """With duplicates: for each index the entry it repeats."""


class Parts(NamedTuple):
    """What a settlement makes of a chunk."""

    results: list[ResultRow]
    deferrals: list[Deferral]
    rest: Indexes


def packed(indexes: Iterable[int] = ()) -> Indexes:
    """Return entry indexes as packed 32-bit numbers."""
    return array("I", indexes)


def to_blob(indexes: Indexes) -> bytes:
    """Return packed numbers as little-endian bytes, whatever the machine."""
    if sys.byteorder == "big":
        indexes = indexes[:]
        indexes.byteswap()
    return indexes.tobytes()


def from_blob(blob: bytes) -> Indexes:
    """Return packed numbers from little-endian bytes."""
    indexes = array("I", blob)
    if sys.byteorder == "big":
        indexes.byteswap()
    return indexes


def cut(indexes: Indexes, size: int, originals: "Indexes | None" = None) -> Iterator[Cut]:
    """Cut a run of indexes into chunks of `size`, the last one smaller.

    `originals` are those of duplicates, one for each index.
    """
    for start in range(0, len(indexes), size):
        end = start + size
        yield Cut(indexes[start:end], None if originals is None else originals[start:end])


def spread(chunks: list[Cut]) -> list[Cut]:
    """Return the chunks in an order in which neighbours come from far apart.

    Chunks are cut in order of domain. Served in that order, a domain with many entries would fill
    a whole window with one pair of exchangers; spread out, any run of chunks shows the batch.
    """
    turns = sorted(range(len(chunks)), key=lambda turn: turn * _GOLDEN % 1.0)
    return [chunk for _, chunk in sorted(zip(turns, chunks, strict=True), key=lambda pair: pair[0])]


def divide(indexes: Indexes, settlement: Settlement) -> Parts:
    """Divide a chunk by a settlement: results, deferrals and what stays claimed.

    An index that the chunk does not hold any more is passed over, and of two mentions the first
    counts (results before deferrals), so that no entry can end with two results.
    """
    if not settlement.deferrals and indexes.tolist() == [
        row.entry_index for row in settlement.results
    ]:  # as what is answered by the chunk is
        return Parts(settlement.results, [], packed())
    open_indexes = set(indexes)
    answered = {row.entry_index for row in settlement.results}
    if (
        not settlement.deferrals
        and len(answered) == len(settlement.results)
        and answered <= open_indexes
    ):  # as nearly all are
        left = open_indexes - answered
        rest = packed([index for index in indexes if index in left] if left else ())
        return Parts(list(settlement.results), [], rest)
    results = []
    for row in settlement.results:
        if row.entry_index in open_indexes:
            open_indexes.discard(row.entry_index)
            results.append(row)
    deferrals = []
    for deferral in settlement.deferrals:
        waiting = tuple(index for index in deferral.indexes if index in open_indexes)
        open_indexes.difference_update(waiting)
        if waiting:
            deferrals.append(Deferral(tuple(dict.fromkeys(waiting)), deferral.run_at))
    return Parts(results, deferrals, packed(index for index in indexes if index in open_indexes))
