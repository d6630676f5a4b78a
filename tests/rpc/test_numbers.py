"""Our values and the wire have the same names and numbers."""

from dataclasses import fields
from enum import IntEnum
from typing import Any

import pytest

from mailvet.model import result, status
from mailvet.v1 import batch_pb2, result_pb2, status_pb2

ENUMS: list[tuple[type[IntEnum], Any, str]] = [
    (status.Classification, status_pb2.Classification, "CLASSIFICATION_"),
    (status.EntryStatus, status_pb2.EntryStatus, "ENTRY_STATUS_"),
    (status.ProviderType, status_pb2.ProviderType, "PROVIDER_TYPE_"),
    (status.LocalPartType, status_pb2.LocalPartType, "LOCAL_PART_TYPE_"),
    (status.Category, status_pb2.Category, "CATEGORY_"),
    (status.QualityLevel, status_pb2.QualityLevel, "QUALITY_LEVEL_"),
    (status.Deduplication, batch_pb2.Deduplication, "DEDUPLICATION_"),
    (status.BatchState, batch_pb2.BatchState, "BATCH_STATE_"),
    (status.Fact, status_pb2.Fact, "FACT_"),
]
OTHER_NAMES = {"NOT_LOOKED_AT": "UNSPECIFIED"}
"""A fact's zero has a name of its own with us."""
MESSAGES = [
    (result.Result, result_pb2.Result),
    (result.RiskPoint, result_pb2.RiskPoint),
    (result.Evidence, result_pb2.Evidence),
    (result.SmtpEvidence, result_pb2.SmtpEvidence),
    (result.ListHit, result_pb2.ListHit),
]


@pytest.mark.parametrize(
    ("ours", "wire", "prefix"), ENUMS, ids=[ours.__name__ for ours, *_ in ENUMS]
)
def test_enums_agree(ours: type[IntEnum], wire: Any, prefix: str) -> None:
    """A number can be stored and sent without translation."""
    expected = {name.removeprefix(prefix): number for name, number in wire.items()}

    assert expected == {OTHER_NAMES.get(value.name, value.name): value.value for value in ours}


@pytest.mark.parametrize(("ours", "wire"), MESSAGES)
def test_fields_agree(ours: Any, wire: Any) -> None:
    """A result has the fields of the proto, in its order."""
    assert [field.name for field in wire.DESCRIPTOR.fields] == [
        field.name for field in fields(ours)
    ]
