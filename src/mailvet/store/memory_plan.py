"""Cutting a batch into chunks, for entries that are in memory."""

from collections.abc import Iterator, Sequence

from mailvet.model.batch import BatchSpec, Entry
from mailvet.model.status import Deduplication
from mailvet.store.chunks import OFFLINE_CHUNK_SIZE, Cut, cut, cut_duplicates, packed, spread


def plan(entries: Sequence[Entry], spec: BatchSpec, *, chunk_size: int) -> list[Cut]:
    """Return the chunks of a batch in the order they are to be served; see `sqlite_plan.plan`."""
    pairs = {}
    if spec.deduplication is not Deduplication.OFF:
        pairs = dict(_duplicates(entries, keep_last=spec.keep_last))
    rest = [index for index in range(len(entries)) if index not in pairs]
    offline = packed(index for index in rest if not entries[index].domain)
    online = [index for index in rest if entries[index].domain]
    online.sort(key=lambda index: entries[index].domain)
    return [
        *cut(offline, OFFLINE_CHUNK_SIZE),
        *cut_duplicates(pairs.items(), OFFLINE_CHUNK_SIZE),
        *spread(list(cut(packed(online), chunk_size))),
    ]


def _duplicates(entries: Sequence[Entry], *, keep_last: bool) -> Iterator[tuple[int, int]]:
    """Yield (index, index of the one that is kept) for every duplicate."""
    kept: dict[int, int] = {}
    for index in reversed(range(len(entries))) if keep_last else range(len(entries)):
        key = entries[index].key
        if key and kept.setdefault(key, index) != index:
            yield index, kept[key]
