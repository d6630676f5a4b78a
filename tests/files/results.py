"""Results for tests of what is written: ordinary ones, and those that a row describes."""

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from mailvet.files.plain import Record, plain_result
from mailvet.files.spool import Answers, Spool
from mailvet.model.result import Result
from mailvet.model.status import (
    Category,
    Classification,
    EntryStatus,
    Fact,
    LocalPartType,
    ProviderType,
    classification_of,
)

_ENUMS: dict[str, Any] = {
    "status": EntryStatus,
    "category": Category,
    "provider_type": ProviderType,
    "local_part_type": LocalPartType,
    **dict.fromkeys(("mx_valid", "can_connect", "is_deliverable", "is_catch_all"), Fact),
}


def result(**given: Any) -> Result:
    """A result; parts of the address are those of the input, unless the status is of syntax."""
    values = {name: _ENUMS[name][v] if name in _ENUMS else v for name, v in given.items()}
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    text = values.setdefault("input_data", "ann@example.net")
    status = values.setdefault("status", EntryStatus.SUCCESS)
    if not 50 <= status < 70 and status != EntryStatus.DUPLICATE:
        local_part, _, domain = text.partition("@")
        parts = {"local_part": local_part, "domain": domain, "ascii_domain": domain}
        values = {"email_address": text, **parts, **values}
    values.setdefault("classification", Classification(classification_of(status)))
    return Result(**{"index": 0, **values})


def answers(
    results: Iterable[Result], labels: Mapping[int, dict[str, str]] | None = None
) -> Answers:
    """The answers of a batch, from a spool in memory."""
    spool = Spool(io.BytesIO())
    for each in results:
        spool.add(each.index, json.dumps(plain_result(each)).encode())
    return Answers(spool, _decoded, (lambda index: (labels or {}).get(index, {})))


def _decoded(document: bytes) -> Record:
    found: Record = json.loads(document)
    return found
