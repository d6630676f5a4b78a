"""Requests as people write them."""

from typing import Any

import pytest

from mailvet.cli.messages import message_of
from mailvet.errors import ConfigError
from mailvet.v1 import batch_pb2, status_pb2
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import result_service_pb2 as result_pb


def test_a_request_is_read() -> None:
    """Enum values with and without prefix, names in both styles, durations, maps, lists."""
    document: dict[str, Any] = {
        "batchId": "b",
        "quality": "high",
        "deduplication": "DEDUPLICATION_OFF",
        "labels": {"value": "x"},
        "entries": [{"input_data": "a@b.test"}],
    }
    made = message_of(document, pb.CreateBatchRequest.DESCRIPTOR)
    expected = pb.CreateBatchRequest(
        batch_id="b",
        quality=status_pb2.QUALITY_LEVEL_HIGH,
        deduplication=batch_pb2.DEDUPLICATION_OFF,
        labels={"value": "x"},
    )
    expected.entries.add(input_data="a@b.test")
    assert expected == made
    waiting = message_of({"batch_id": "b", "wait": "10s"}, pb.GetBatchRequest.DESCRIPTOR)
    assert isinstance(waiting, pb.GetBatchRequest)
    assert 10 == waiting.wait.seconds


@pytest.mark.parametrize(
    ("told", "document"),
    [
        ("StreamResultsRequest has no field 'batch'; did you mean batch_id?", {"batch": "b"}),
        ("StreamResultsRequest has no field 'q'; it has batch_id, ", {"q": 1}),
        (
            "ResultFilter has no field 'status'; did you mean statuses?",
            {"filter": {"status": ["SUCCESS"]}},
        ),
        (
            "'GOOD' is no Classification; use one of DELIVERABLE, ",
            {"filter": {"classifications": ["GOOD"]}},
        ),
        ("StreamResultsRequest: ", {"max_results": "many"}),
        ("StreamResultsRequest: ", {"filter": 1}),
    ],
)
def test_what_has_no_sense_is_named(told: str, document: dict[str, Any]) -> None:
    """A wrong name or value is told with the way out."""
    with pytest.raises(ConfigError) as caught:
        message_of(document, result_pb.StreamResultsRequest.DESCRIPTOR)
    assert str(caught.value).startswith(told)
