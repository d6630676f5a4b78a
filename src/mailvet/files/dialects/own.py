"""Our own words: the fields of a result by their own names, and the labels of its entry."""

from collections.abc import Sequence
from dataclasses import replace

from mailvet.files.dialects.dialect import Dialect
from mailvet.files.plain import FIELDS, Found, Record
from mailvet.files.refusal import FileRefused

LABELS = "labels"
ADDITIONS = (
    "status",
    "classification",
    "risk_score",
    "category",
    "email_address",
    "suggestions",
    "explanation",
)
"""What somebody wants beside his own columns; the rest is in the full export."""
_AMONG_DOCUMENTS = (*FIELDS, LABELS)
_LABEL = LABELS + "."


def own(columns: Sequence[str] = (), labels: Sequence[str] = ()) -> Dialect:
    """Return our dialect with these columns: fields of a result, or `labels.NAME`.

    Without columns it has every field, and a column for each name in `labels`. Raises
    FileRefused for a column that is none.
    """
    if not columns:
        return replace(OWN, columns=(*FIELDS, *(_LABEL + name for name in labels)))
    for name in columns:
        if name not in _AMONG_DOCUMENTS and not name.startswith(_LABEL):
            raise FileRefused(
                f"columns: {name[:80]!r}",
                f"there is no such column: write labels.NAME or one of {', '.join(FIELDS)}",
            )
    return replace(OWN, columns=tuple(columns), record=_chosen(columns), additions=tuple(columns))


def _chosen(columns: Sequence[str]) -> "_Chosen":
    plain = [name for name in columns if not name.startswith(_LABEL)]
    labels = [name.removeprefix(_LABEL) for name in columns if name.startswith(_LABEL)]
    return _Chosen(plain, labels)


class _Chosen:
    """Says the fields that were chosen, and the labels that were, under `labels`."""

    def __init__(self, plain: Sequence[str], labels: Sequence[str]) -> None:
        self._plain = plain
        self._labels = labels

    def __call__(self, found: Found) -> Record:
        record = {name: found.get(name) for name in self._plain}
        if self._labels and LABELS not in self._plain:
            record[LABELS] = {name: found[LABELS].get(name) for name in self._labels}
        return record


def _whole(found: Found) -> Record:
    record = {name: found.get(name) for name in FIELDS}
    return {**record, LABELS: found[LABELS]} if found.get(LABELS) else record


OWN = Dialect(name="mailvet", columns=FIELDS, record=_whole, additions=ADDITIONS)
