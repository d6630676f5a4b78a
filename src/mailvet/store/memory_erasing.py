"""One address erased from a memory store."""

import json
import re
from dataclasses import replace

from mailvet.store.changes import WORK, Changes
from mailvet.store.erasing import ERASED_ENTRY, Erasure, Wanted, holds, rewritten
from mailvet.store.keeping import bytes_of
from mailvet.store.memory_keeping import Kept
from mailvet.store.memory_queue import Queue


class MemoryErasing:
    """The part of a memory store that answers `Erasing`."""

    _kept: dict[tuple[str, str], Kept]
    _queue: Queue
    _changes: Changes

    async def erase_address(self, tenant: str, wanted: Wanted) -> Erasure:
        """See `Erasing.erase_address`."""
        erasure = Erasure([])
        for (owner, batch_id), kept in self._kept.items():
            if owner == tenant and self._erase_from(kept, wanted, erasure):
                erasure.batch_ids.append(batch_id)
        self._changes.note([WORK])
        return erasure

    def _erase_from(self, kept: Kept, wanted: Wanted, erasure: Erasure) -> bool:
        indexes = {index for index, entry in enumerate(kept.entries) if holds(wanted, entry)}
        for index in indexes:
            kept.stored_bytes -= bytes_of([kept.entries[index]]) - bytes_of([ERASED_ENTRY])
            kept.entries[index] = ERASED_ENTRY
        self._queue.end_leases(kept.batch.key, indexes)
        results = rewritten(wanted, kept.results, indexes)
        kept.by_entry = {row.entry_index: row for row in kept.results}
        has_file = kept.upload is not None and (bool(indexes) or _in_file(kept, wanted))
        if has_file:
            kept.stored_bytes -= sum(map(len, kept.parts))
            kept.upload, kept.parts = None, []
        erasure.entry_count += len(indexes)
        erasure.result_count += results
        erasure.file_count += has_file
        return bool(_clean_texts(kept, wanted) or has_file or indexes or results)


def _in_file(kept: Kept, wanted: Wanted) -> bool:
    assert kept.upload is not None
    needles = b"|".join(re.escape(spelling.encode()) for spelling in wanted.spellings)
    whole = b"".join(kept.parts)
    return wanted.mentions(kept.upload.name) or bool(re.search(needles, whole, re.IGNORECASE))


def _clean_texts(kept: Kept, wanted: Wanted) -> bool:
    spec = kept.batch.spec
    cleaned = replace(
        spec,
        name=wanted.cleaned(spec.name),
        description=wanted.cleaned(spec.description),
        labels=json.loads(wanted.cleaned(json.dumps(dict(spec.labels), ensure_ascii=False))),
    )
    if cleaned == spec:
        return False
    kept.batch = replace(kept.batch, spec=cleaned, revision=kept.batch.revision + 1)
    return True
