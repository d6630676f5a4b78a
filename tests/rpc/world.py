"""One server and one client, joined by a loopback port."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import LogCapture

from mailvet.batches.forgetting import Forget, forget_nothing
from mailvet.model.batch import Answered
from mailvet.model.result import Result
from mailvet.model.status import EntryStatus, classification_of
from mailvet.model.step import Spoken, Tell
from mailvet.rpc.catalog_service import CatalogService
from mailvet.rpc.encode import encode_result
from mailvet.rpc.error_table import DETAILS_KEY
from mailvet.rpc.metrics import RpcCounters
from mailvet.rpc.server import RpcServer, ServerOptions, build_server
from mailvet.store.base import Store
from mailvet.v1 import (
    account_service_pb2,
    auth_service_pb2,
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_service_pb2,
    verification_service_pb2,
)
from mailvet.v1.account_service_pb2_grpc import AccountServiceStub
from mailvet.v1.auth_service_pb2_grpc import AuthServiceStub
from mailvet.v1.batch_service_pb2_grpc import BatchServiceStub
from mailvet.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mailvet.v1.result_service_pb2_grpc import ResultServiceStub
from mailvet.v1.verification_service_pb2_grpc import VerificationServiceStub

SERVICES = [
    module.DESCRIPTOR.services_by_name[name]
    for module, name in (
        (batch_service_pb2, "BatchService"),
        (result_service_pb2, "ResultService"),
        (verification_service_pb2, "VerificationService"),
        (catalog_service_pb2, "CatalogService"),
        (account_service_pb2, "AccountService"),
        (auth_service_pb2, "AuthService"),
    )
]


class Oracle:
    """A verifier that knows every answer; it notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[tuple[str, str]], float]] = []
        self.max_ages: list[tuple[float, float]] = []
        self.bare_domains: list[bool] = []

    async def verify(
        self,
        entries: Sequence[tuple[str, str]],
        budget_s: float,
        _tenant: str,
        *,
        max_age_s: float = 0.0,
        max_shared_age_s: float = 0.0,
        bare_domains: bool = False,
    ) -> list[Answered]:
        self.bare_domains.append(bare_domains)
        self.max_ages.append((max_age_s, max_shared_age_s))
        self.asked.append((entries, budget_s))
        return [answered(_success(place, *entry)) for place, entry in enumerate(entries)]

    async def explain(
        self,
        entry: tuple[str, str],
        budget_s: float,
        _tenant: str,
        tell: Tell,
        *,
        bare_domains: bool = False,
    ) -> Result:
        self.bare_domains.append(bare_domains)
        self.asked.append(([entry], budget_s))
        tell(Spoken(">", "EHLO example.net"))
        return _success(0, *entry)


def answered(result: Result) -> Answered:
    """Return a result as a verifier answers with it."""
    return Answered(result.input_data, result.status, result.from_cache, encode_result(result))


def _success(place: int, text: str, custom: str) -> Result:
    return Result(
        index=place,
        input_data=text,
        custom=custom,
        status=EntryStatus.SUCCESS,
        classification=classification_of(EntryStatus.SUCCESS),
        mx_hosts=("mx.example.net",),
    )


@dataclass
class World:
    """A running server and everything to look at it from outside."""

    store: Store
    server: RpcServer
    channel: grpc.aio.Channel
    verifier: Any
    metrics: RpcCounters
    logs: list[Any]

    @property
    def batches(self) -> Any:
        return BatchServiceStub(self.channel)

    @property
    def results(self) -> Any:
        return ResultServiceStub(self.channel)

    @property
    def verification(self) -> Any:
        return VerificationServiceStub(self.channel)

    @property
    def accounts(self) -> Any:
        return AccountServiceStub(self.channel)

    @property
    def auth(self) -> Any:
        return AuthServiceStub(self.channel)

    @property
    def catalog(self) -> Any:
        return CatalogServiceStub(self.channel)

    async def create(
        self, batch_id: str, count: int = 0, *, launch: bool = False, **fields: Any
    ) -> batch_pb2.Batch:
        """Create a batch with `count` entries u0@example.org, u1@... ."""
        entries = [batch_pb2.Entry(input_data=f"u{n}@example.org") for n in range(count)]
        request = batch_service_pb2.CreateBatchRequest(
            batch_id=batch_id, entries=entries[:1000], **fields
        )
        batch: batch_pb2.Batch = (await self.batches.CreateBatch(request)).batch
        for start in range(1000, count, 1000):
            added = batch_service_pb2.AddEntriesRequest(
                batch_id=batch_id, offset=start, entries=entries[start : start + 1000]
            )
            await self.batches.AddEntries(added)
        if launch:
            launching = batch_service_pb2.LaunchBatchRequest(batch_id=batch_id)
            batch = (await self.batches.LaunchBatch(launching)).batch
        return batch

    async def call(
        self, method: str, request: Message | bytes, metadata: Sequence[tuple[str, str]] = ()
    ) -> list[Message]:
        """Call a method such as `BatchService/GetBatch`, of any kind, and return its replies."""
        return await call(self.channel, method, request, metadata)


async def call(
    channel: grpc.aio.Channel,
    method: str,
    request: Message | bytes,
    metadata: Sequence[tuple[str, str]] = (),
) -> list[Message]:
    """As `World.call`, over any channel."""
    service, _, name = method.partition("/")
    found = next(
        service_.methods_by_name[name] for service_ in SERVICES if service_.name == service
    )
    kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }
    path = f"/{found.containing_service.full_name}/{name}"
    kind = (found.client_streaming, found.server_streaming)
    caller = kinds[kind](path, response_deserializer=GetMessageClass(found.output_type).FromString)
    raw = request if isinstance(request, bytes) else request.SerializeToString()
    sent = iter([raw]) if found.client_streaming else raw
    answer = caller(sent, timeout=10, metadata=metadata)
    if found.server_streaming:
        return [reply async for reply in answer]
    return [await answer]


def request_type(method: str) -> type[Message]:
    """The request message of `BatchService/GetBatch` and the like."""
    service, _, name = method.partition("/")
    found = next(
        service_.methods_by_name[name] for service_ in SERVICES if service_.name == service
    )
    return GetMessageClass(found.input_type)


def all_methods() -> list[str]:
    """Every method of our own services."""
    return [f"{service.name}/{method.name}" for service in SERVICES for method in service.methods]


@asynccontextmanager
async def open_world(
    store: Store,
    *,
    verifier: Any = None,
    metadata: Sequence[tuple[str, str]] = (),
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    catalog: CatalogService | None = None,
    forget: Forget = forget_nothing,
    log_level: int = logging.DEBUG,
    **options: Any,
) -> AsyncIterator[World]:
    """A server over `store`, a client that sends `metadata`; closed in the right order."""
    logs = LogCapture()
    metrics = RpcCounters()
    verifier = verifier or Oracle()
    chosen = {"min_heartbeat_s": 0.0, "watch_gap_s": 0.0, "frame_gap_s": 0.0} | options
    server = build_server(
        store,
        verifier,
        ServerOptions(**chosen),
        metrics=metrics,
        log=structlog.wrap_logger(
            None,
            processors=[logs],
            wrapper_class=structlog.make_filtering_bound_logger(log_level),
        ),
        clock=clock,
        wall_clock=wall_clock,
        catalog=catalog,
        forget=forget,
    )
    await server.start()
    async with open_channel(server.port, metadata) as channel:
        yield World(store, server, channel, verifier, metrics, logs.entries)
    await server.stop(grace_s=0)


@asynccontextmanager
async def open_channel(
    port: int, metadata: Sequence[tuple[str, str]] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """A connection of its own that sends `metadata` with every call."""
    # Connections are shared between channels of one process unless they are told apart.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=options, interceptors=_with(metadata)
    )
    async with channel:
        yield channel


def _with(metadata: Sequence[tuple[str, str]]) -> list[Any]:
    if not metadata:
        return []

    class Unary(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
        async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            return await continuation(_add(details, metadata), request)

    class ServerStream(grpc.aio.UnaryStreamClientInterceptor):  # type: ignore[type-arg]
        async def intercept_unary_stream(
            self, continuation: Any, details: Any, request: Any
        ) -> Any:
            return await continuation(_add(details, metadata), request)

    class Bidi(grpc.aio.StreamStreamClientInterceptor):  # type: ignore[type-arg]
        async def intercept_stream_stream(
            self, continuation: Any, details: Any, request_iterator: Any
        ) -> Any:
            return await continuation(_add(details, metadata), request_iterator)

    return [Unary(), ServerStream(), Bidi()]


def _add(details: Any, metadata: Sequence[tuple[str, str]]) -> grpc.aio.ClientCallDetails:
    return grpc.aio.ClientCallDetails(
        details.method,
        details.timeout,
        grpc.aio.Metadata(*(details.metadata or ()), *metadata),
        details.credentials,
        details.wait_for_ready,
    )


async def read_rest(stream: Any) -> list[Any]:
    """Every message that is left of a stream that was begun with `read`."""
    messages = []
    while (message := await stream.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
        messages.append(message)
    return messages


@dataclass
class Told:
    """What a failed call says."""

    code: str
    message: str
    info: error_details_pb2.ErrorInfo
    details: dict[str, Any]
    """The other details by the name of their type."""


_DETAIL_TYPES = (
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
    error_details_pb2.ResourceInfo,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.QuotaFailure,
    error_details_pb2.RetryInfo,
)


def told(error: grpc.aio.AioRpcError) -> Told:
    """Read a failure as a client does."""
    trailing: dict[str, Any] = dict(error.trailing_metadata() or ())  # type: ignore[arg-type]
    status = status_pb2.Status.FromString(trailing[DETAILS_KEY])
    assert error.code().value[0] == status.code
    assert error.details() == status.message
    found: dict[str, Any] = {}
    for packed in status.details:
        kind = next(kind for kind in _DETAIL_TYPES if packed.Is(kind.DESCRIPTOR))
        message = kind()
        packed.Unpack(message)
        assert kind.DESCRIPTOR.name not in found, "each type of detail at most once"
        found[kind.DESCRIPTOR.name] = message
    info = found.pop("ErrorInfo")
    return Told(error.code().name, status.message, info, found)
