"""Protobuf to values: every wrong field in one answer."""

from typing import Any

import grpc
import pytest
from google.protobuf import json_format

from mailvet.batches import limits
from mailvet.batches.intake import RawEntry
from mailvet.errors import InvalidRequest
from mailvet.model.batch import BatchSpec
from mailvet.model.status import Deduplication, QualityLevel
from mailvet.rpc import decode
from mailvet.rpc.decode_list import batch_page
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import result_service_pb2 as result_pb
from tests.rpc.world import World, request_type, told

LONG_INPUT = "x" * (limits.MAX_INPUT_BYTES + 1)
WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "BatchService/CreateBatch",
        {
            "batch_id": "Not An Id",
            "name": "x" * 201,
            "description": "x" * 2001,
            "labels": {"": "x", "k" * 64: "x", "v": "x" * 256},
            "quality": 9,
            "priority": 256,
            "deduplication": 9,
            "duplicate_keep": 9,
            "entries": [{"input_data": "ok"}, {"input_data": LONG_INPUT, "custom": "x" * 1025}],
            "request_id": "ü" * 129,
        },
        [
            "batch_id",
            "request_id",
            "request_id",
            "name",
            "description",
            "labels[]",
            f"labels[{'k' * 63}]",
            "labels[v]",
            "priority",
            "duplicate_keep",
            "quality",
            "deduplication",
            "entries[1].input_data",
            "entries[1].custom",
        ],
    ),
    ("BatchService/CreateBatch", {"launch": True, "priority": -1}, ["launch", "priority"]),
    (
        "BatchService/CreateBatch",
        {"labels": {str(n): "" for n in range(33)}, "entries": [{}] * 1001},
        ["labels", "entries"],
    ),
    ("BatchService/AddEntries", {"offset": -1}, ["entries", "offset"]),
    (
        "BatchService/StreamEntries",
        {"offset": -1, "entries": [{}] * 10_001},
        ["batch_id", "offset", "entries"],
    ),
    (
        "BatchService/StreamEntries",
        {"finish": {"entry_count": -1}},
        ["batch_id", "finish.entry_count"],
    ),
    ("BatchService/GetBatch", {"wait": "60.001s"}, ["wait"]),
    ("BatchService/GetBatch", {"wait": "-1s"}, ["wait"]),
    (
        "BatchService/ListBatches",
        {"page_size": -1, "states": [9, 0, 1]},
        ["page_size", "states[0]", "states[1]"],
    ),
    ("BatchService/WatchBatch", {"heartbeat_interval": "61s"}, ["heartbeat_interval"]),
    (
        "ResultService/StreamResults",
        {
            "max_results": 1001,
            "view": 9,
            "heartbeat_interval": "61s",
            "filter": {"classifications": [9], "exclude_statuses": [1, 2]},
        },
        [
            "max_results",
            "filter.classifications[0]",
            "filter.exclude_statuses[1]",
            "view",
            "heartbeat_interval",
        ],
    ),
    ("ResultService/StreamResults", {"max_results": -1}, ["max_results"]),
    ("ResultService/ListResults", {"page_size": -1, "view": 9}, ["page_size", "view"]),
    ("ResultService/GetResult", {"index": -1, "view": 9}, ["index", "view"]),
    (
        "VerificationService/VerifyEmail",
        {"input_data": LONG_INPUT, "custom": "x" * 1025, "view": 9},
        ["input_data", "custom", "view"],
    ),
    ("VerificationService/VerifyEmails", {"view": 9}, ["entries", "view"]),
    ("VerificationService/VerifyEmails", {"entries": [{}] * 1001}, ["entries"]),
]


@pytest.mark.parametrize(("method", "fields", "paths"), WRONG)
async def test_every_wrong_field_is_named(
    method: str, fields: dict[str, Any], paths: list[str], world: World
) -> None:
    """One answer names all that is wrong, so that a caller mends it in one go."""
    request = json_format.ParseDict(fields, request_type(method)())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call(method, request)
    found = told(caught.value)
    violations = found.details["BadRequest"].field_violations

    assert ("INVALID_ARGUMENT", "INVALID_REQUEST") == (found.code, found.info.reason)
    assert paths == [violation.field for violation in violations]
    assert all(violation.description for violation in violations)
    assert str(len(paths)) == found.info.metadata["violations"]


async def test_what_is_listed_fits_the_headers(world: World) -> None:
    """A thousand wrong entries are counted; as many are listed as clients can receive."""
    wrong = batch_pb.Entry(custom="x" * 1025)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.CreateBatch(pb.CreateBatchRequest(entries=[wrong] * 1000))
    found = told(caught.value)
    listed = found.details["BadRequest"]

    assert "1000" == found.info.metadata["violations"]
    assert "entries[0].custom" == listed.field_violations[0].field
    assert listed.ByteSize() <= limits.MAX_VIOLATION_BYTES
    assert len(listed.field_violations) > 20


def test_an_empty_request_is_a_good_one() -> None:
    """`{}` makes a batch with every default filled in."""
    new = decode.new_batch(pb.CreateBatchRequest())

    assert BatchSpec() == new.spec
    assert (QualityLevel.STANDARD, 127, Deduplication.SAFE, False) == (
        new.spec.quality,
        new.spec.priority,
        new.spec.deduplication,
        new.spec.keep_last,
    )


def test_zero_is_not_unset() -> None:
    """Priority 0 is the slowest, not the default."""
    assert 0 == decode.new_batch(pb.CreateBatchRequest(priority=0)).spec.priority


def test_everything_is_decoded() -> None:
    """What a caller asks for arrives."""
    new = decode.new_batch(
        pb.CreateBatchRequest(
            batch_id="mine",
            name="n",
            description="d",
            labels={"k": "v"},
            quality=3,  # type: ignore[arg-type]
            priority=255,
            deduplication=1,  # type: ignore[arg-type]
            duplicate_keep=2,  # type: ignore[arg-type]
            entries=[batch_pb.Entry(input_data=" a@b ", custom="c")],
            launch=True,
            request_id="r",
            validate_only=True,
        )
    )

    assert ("mine", "r", True, True) == (
        new.batch_id,
        new.request_id,
        new.launch,
        new.validate_only,
    )
    assert (RawEntry(" a@b ", "c"),) == new.entries
    assert (
        BatchSpec(
            name="n",
            description="d",
            labels={"k": "v"},
            quality=QualityLevel.EXTREME,
            priority=255,
            deduplication=Deduplication.OFF,
            keep_last=True,
        )
        == new.spec
    )


@pytest.mark.parametrize(
    ("asked", "given"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_page_sizes(asked: int, given: int) -> None:
    """Too large a page is cut down, none is the default (AIP-158)."""
    assert given == batch_page(pb.ListBatchesRequest(page_size=asked)).page_size


def test_a_text_is_measured_in_bytes() -> None:
    """The limit of an input is in bytes, whatever the script."""
    fits = "ü" * (limits.MAX_INPUT_BYTES // 2)
    request = pb.AddEntriesRequest(entries=[batch_pb.Entry(input_data=fits)])

    assert fits == decode.added_entries(request).entries[0].input_data
    request.entries[0].input_data += "x"
    with pytest.raises(InvalidRequest, match="65537 bytes, at most 65536"):
        decode.added_entries(request)


def test_heartbeats_have_bounds() -> None:
    """5 to 60 s; 15 s when nothing is said."""
    request = result_pb.StreamResultsRequest()
    assert 15.0 == decode.result_stream(request, limits.MIN_HEARTBEAT_S).heartbeat_s
    request.heartbeat_interval.FromMilliseconds(4999)
    with pytest.raises(InvalidRequest, match="use 5 to 60 s"):
        decode.result_stream(request, limits.MIN_HEARTBEAT_S)


def test_a_second_batch_in_an_upload_is_refused() -> None:
    """Later frames may leave the batch_id or repeat it."""
    for batch_id in ("", "mine"):
        assert (
            decode.upload_frame(pb.StreamEntriesRequest(batch_id=batch_id), "mine").offset is None
        )
    with pytest.raises(InvalidRequest, match="batch_id"):
        decode.upload_frame(pb.StreamEntriesRequest(batch_id="other"), "mine")
