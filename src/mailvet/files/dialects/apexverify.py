"""A batch of ApexVerify: its page tells the batch object; the rows inside are our own words."""

from collections.abc import Mapping
from typing import Any

from mailvet.files.dialects.dialect import BatchFacts, Dialect, Duplicates
from mailvet.files.plain import Found, Record

COLUMNS = ("email", "result", "status", "risk_score", "suggestion")


def _record(found: Found) -> Record:
    return {
        "email": found["input_data"],
        "result": (found["classification"] or "UNKNOWN").lower(),
        "status": (found["status"] or "UNHANDLED_EXCEPTION").lower(),
        "risk_score": found["risk_score"],
        "suggestion": next(iter(found["suggestions"]), None),
    }


def _batch(facts: BatchFacts) -> Mapping[str, Any]:
    return {
        "status": facts.state.lower(),
        "batch_uuid": facts.batch_id,
        "created_at": facts.create_time,
    }


APEXVERIFY = Dialect(
    name="apexverify",
    columns=COLUMNS,
    record=_record,
    items="results",
    before=_batch,
    duplicates=Duplicates.DROP,  # `remove_duplicate` is on there by default
)
