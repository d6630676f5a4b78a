"""Failures of calls, made without a server."""

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2


def failure(
    code: grpc.StatusCode,
    *details: Message,
    message: str = "told",
    retry_after_s: float | None = None,
) -> grpc.aio.AioRpcError:
    """A failed call with these details, as grpc raises it."""
    status = status_pb2.Status(code=code.value[0], message=message)
    if retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(retry_after_s * 1e9))
        details = (*details, error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in details:
        status.details.add().Pack(detail)
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), trailing, details=message, debug_error_string=None
    )
