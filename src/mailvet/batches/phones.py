"""The phone numbers in a column of an uploaded file: what each is by E.164, kept as a label."""

import asyncio
import json
from collections.abc import Sequence

from mailvet.errors import InvalidRequest, Violation
from mailvet.model.batch import PHONE_LABEL, Batch
from mailvet.store.base import Store
from mailvet.syntax.phone import e164, has_numbers

PAGE = 1_000
"""Entries that get their labels in one transaction: a tenth of a second to read their numbers."""
_SHOWN = 20
"""Columns that an error names."""


async def look_at_phones(store: Store, batch: Batch, column: str, country: str) -> None:
    """Give every entry with a number in `column` the label `PHONE_LABEL`, empty when it is none.

    An empty cell is no number and no wrong one: its entry has no such label. Raises
    `InvalidRequest` for a column that no entry has and for an unknown country.
    """
    if country and not has_numbers(country):
        raise _wrong("phone_country", f"no phone numbers of {country!r} are known; name another")
    first = await store.labels_from(batch.tenant, batch.batch_id, 0, limit=PAGE)
    known = dict.fromkeys(name for labels in first if labels for name in json.loads(labels))
    if column not in known:
        names = ", ".join(list(known)[:_SHOWN]) or "none: only uploaded files have them"
        raise _wrong("phone_column", f"there is no column {column!r}; there are {names}")
    for start in range(0, batch.entry_count, PAGE):
        kept = await store.labels_from(batch.tenant, batch.batch_id, start, limit=PAGE)
        labels = await asyncio.to_thread(_looked_at, kept, column, country)
        await store.relabel_entries(batch.tenant, batch.batch_id, start, labels)


def _looked_at(kept: Sequence[str], column: str, country: str) -> list[str]:
    labels = []
    for text in kept:
        row: dict[str, str] = json.loads(text) if text else {}
        row.pop(PHONE_LABEL, None)
        number = row.get(column, "").strip()
        if number:
            row[PHONE_LABEL] = e164(number, country)
        labels.append(json.dumps(row, ensure_ascii=False) if row else "")
    return labels


def _wrong(field: str, description: str) -> InvalidRequest:
    return InvalidRequest([Violation(field, description)])
