"""Cutting a batch into chunks, for entries that are in memory."""

from collections.abc import Iterator, Sequence

from mailvet.model.batch import NO_PHONE, BatchSpec, Entry, Removal
from mailvet.model.status import Deduplication
from mailvet.store.chunks import OFFLINE_CHUNK_SIZE, Cut, cut, packed, spread


def plan(entries: Sequence[Entry], spec: BatchSpec, *, chunk_size: int) -> list[Cut]:
    """Return the chunks of a batch in the order they are to be served; see `sqlite_plan.plan`."""
    left = list(range(len(entries)))
    if Removal.WRONG_PHONE in spec.removal:
        left = [index for index in left if not has_wrong_phone(entries[index].labels)]
    pairs = {}
    if spec.deduplication is not Deduplication.OFF:
        pairs = dict(_duplicates(entries, left, keep_last=spec.keep_last))
    rest = [index for index in left if index not in pairs]
    offline = packed(index for index in rest if not entries[index].domain)
    if Removal.WRONG_FORMAT in spec.removal:
        offline = packed()
    if Removal.DUPLICATES in spec.removal:
        pairs = {}
    online = [index for index in rest if entries[index].domain]
    online.sort(key=lambda index: entries[index].domain)
    return [
        *cut(offline, OFFLINE_CHUNK_SIZE),
        *cut(packed(pairs), OFFLINE_CHUNK_SIZE, packed(pairs.values())),
        *spread(list(cut(packed(online), chunk_size))),
    ]


def has_wrong_phone(labels: str) -> bool:
    """Whether the preparation looked at the phone number of a row and found none."""
    return NO_PHONE in labels


def _duplicates(
    entries: Sequence[Entry], indexes: Sequence[int], *, keep_last: bool
) -> Iterator[tuple[int, int]]:
    """Yield (index, index of the one that is kept) for every duplicate of some entries."""
    kept: dict[int, int] = {}
    for index in reversed(indexes) if keep_last else indexes:
        key = entries[index].key
        if key and kept.setdefault(key, index) != index:
            yield index, kept[key]
