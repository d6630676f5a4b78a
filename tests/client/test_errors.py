"""Failures as one typed error."""

import grpc
import pytest
from google.rpc import error_details_pb2

from mailvet.client import Client, ServiceError
from mailvet.client.errors import from_rpc_error
from mailvet.store.memory import MemoryStore
from mailvet.v1 import batch_service_pb2
from tests.client.errors import failure
from tests.rpc.world import open_world


async def test_a_refusal_tells_reason_metadata_and_every_wrong_field() -> None:
    """Code, reason, metadata and the path of each wrong field can be branched on."""
    async with open_world(MemoryStore()) as world:
        client = Client(world.channel)
        request = batch_service_pb2.CreateBatchRequest(batch_id="No Id", priority=300)
        with pytest.raises(ServiceError) as caught:
            await client.create_batch(request)
    error = caught.value
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == (error.code, error.reason)
    assert {"violations": "2"} == error.metadata
    assert ["batch_id", "priority"] == [violation.field for violation in error.violations]
    assert str(error).startswith("INVALID_REQUEST: batch_id: ")


async def test_a_missing_batch_is_named() -> None:
    """NOT_FOUND says of what kind and name."""
    async with open_world(MemoryStore()) as world:
        client = Client(world.channel)
        with pytest.raises(ServiceError) as caught:
            await client.call(
                client.batches.GetBatch, batch_service_pb2.GetBatchRequest(batch_id="nowhere")
            )
    assert ("NOT_FOUND", {"kind": "batch", "name": "nowhere"}) == (
        caught.value.reason,
        caught.value.metadata,
    )


def test_a_failure_without_details_has_its_code_for_a_name() -> None:
    """What comes from a proxy or from gRPC itself is a ServiceError too."""
    error = from_rpc_error(
        grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE,
            grpc.aio.Metadata(),
            grpc.aio.Metadata(),
            details="gone",
            debug_error_string=None,
        )
    )
    assert ("", {}, (), None) == (
        error.reason,
        error.metadata,
        error.violations,
        error.retry_after_s,
    )
    assert "UNAVAILABLE: gone" == str(error)


def test_details_of_a_kind_that_is_new_are_passed_over() -> None:
    """A newer server may say more; what is known is still read."""
    info = error_details_pb2.ErrorInfo(reason="QUOTA_EXCEEDED", domain="mailvet.dev")
    unknown = error_details_pb2.LocalizedMessage(locale="de", message="zu viel")
    error = from_rpc_error(
        failure(grpc.StatusCode.RESOURCE_EXHAUSTED, unknown, info, retry_after_s=1.5)
    )
    assert ("QUOTA_EXCEEDED", 1.5) == (error.reason, error.retry_after_s)
