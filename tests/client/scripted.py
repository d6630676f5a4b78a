"""A gRPC server that answers as a test tells it, call by call."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from mailvet.client import Client
from mailvet.v1 import batch_service_pb2, catalog_service_pb2, result_service_pb2

DETAILS_KEY = "grpc-status-details-bin"
_TYPES: dict[str, Any] = {
    "GetServerInfo": catalog_service_pb2.GetServerInfoRequest,
    "StreamEntries": batch_service_pb2.StreamEntriesRequest,
    "CreateBatch": batch_service_pb2.CreateBatchRequest,
    "GetBatch": batch_service_pb2.GetBatchRequest,
    "StreamResults": result_service_pb2.StreamResultsRequest,
    "WatchBatch": batch_service_pb2.WatchBatchRequest,
}
Answer = Callable[[Any, Any], Awaitable[None]]


async def refuse(
    context: grpc.aio.ServicerContext[Any, Any],
    code: grpc.StatusCode,
    reason: str,
    message: str = "",
    retry_after_s: float | None = None,
    *more: Message,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """End a call as the real server does."""
    status = status_pb2.Status(code=code.value[0], message=message)
    info = error_details_pb2.ErrorInfo(reason=reason, domain="mailvet.dev", metadata=metadata)
    status.details.add().Pack(info)
    if retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(retry_after_s * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in more:
        status.details.add().Pack(detail)
    context.set_trailing_metadata(((DETAILS_KEY, status.SerializeToString()),))
    await context.abort(code, message)


class _Script(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Carries out the next answer of the method's script; the last one again and again."""

    def __init__(self, scripts: dict[str, Sequence[Answer]]) -> None:
        self._scripts = {name: list(script) for name, script in scripts.items()}

    def service(self, details: Any) -> Any:
        name = details.method.rpartition("/")[2]

        async def stream(requests: AsyncIterator[Any], context: Any) -> None:
            script = self._scripts[name]
            answer = script.pop(0) if len(script) > 1 else script[0]
            await answer(requests, context)

        return grpc.stream_stream_rpc_method_handler(
            stream,
            request_deserializer=_TYPES[name].FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


@asynccontextmanager
async def scripted(
    patience_s: float = 10.0, **scripts: Sequence[Answer]
) -> AsyncIterator[tuple[Client, str]]:
    """Yield a client of a server with these answers, and the server's target."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Script(scripts),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    target = f"127.0.0.1:{port}"
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        yield Client(channel, "mv_key", patience_s=patience_s), target
    await server.stop(None)
