"""The phone numbers in a column of an uploaded file: what each is by E.164, kept as a label."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from mailvet.errors import InvalidRequest, Violation
from mailvet.model.batch import PHONE_LABEL, Batch
from mailvet.store.base import Store
from mailvet.syntax.phone import e164, has_numbers

PAGE = 1_000
"""Entries that get their labels in one transaction: a tenth of a second to read their numbers."""
_SHOWN = 20
"""Columns that an error names."""


class Phones:
    """How the numbers of a column are read."""

    def __init__(self, column: str, country: str, *, path: str = "") -> None:
        """`country` is that of numbers without a country code, empty for none; `path` leads to the
        two fields in the request.

        Raises `InvalidRequest` for a country whose numbers are not known.
        """
        if country and not has_numbers(country):
            told = f"no phone numbers of {country!r} are known; name another"
            raise _wrong(f"{path}phone_country", told)
        self._column = column
        self._country = country
        self._path = path

    def require_column(self, known: Iterable[str]) -> None:
        """Raise `InvalidRequest` unless the column is one of these."""
        names = list(known)
        if self._column not in names:
            listed = ", ".join(names[:_SHOWN]) or "none: only uploaded files have them"
            told = f"there is no column {self._column!r}; there are {listed}"
            raise _wrong(f"{self._path}phone_column", told)

    def look_at(self, row: dict[str, str]) -> None:
        """Give a row with a number the label `PHONE_LABEL`, empty when it is none.

        An empty cell is no number and no wrong one: its row has no such label.
        """
        row.pop(PHONE_LABEL, None)
        number = row.get(self._column, "").strip()
        if number:
            row[PHONE_LABEL] = e164(number, self._country)


async def look_at_phones(store: Store, batch: Batch, phones: Phones) -> None:
    """Look at the numbers of all entries; raises `InvalidRequest` for a column that none has."""
    first = await store.labels_from(batch.tenant, batch.batch_id, 0, limit=PAGE)
    phones.require_column(
        dict.fromkeys(name for labels in first if labels for name in json.loads(labels))
    )
    for start in range(0, batch.entry_count, PAGE):
        kept = await store.labels_from(batch.tenant, batch.batch_id, start, limit=PAGE)
        labels = await asyncio.to_thread(_looked_at, kept, phones)
        await store.relabel_entries(batch.tenant, batch.batch_id, start, labels)


def _looked_at(kept: Sequence[str], phones: Phones) -> list[str]:
    labels = []
    for text in kept:
        row: dict[str, str] = json.loads(text) if text else {}
        phones.look_at(row)
        labels.append(json.dumps(row, ensure_ascii=False) if row else "")
    return labels


def _wrong(field: str, description: str) -> InvalidRequest:
    return InvalidRequest([Violation(field, description)])
