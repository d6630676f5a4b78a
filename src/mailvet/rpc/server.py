"""The gRPC server: every service built top to bottom, its settings, and its way to go.

server = build_server(store, verifier, ServerOptions(address="127.0.0.1:0"))
await server.start()                    # server.port is the port it listens on
server.health.set_serving(ENGINE, serving=False)
await server.stop(grace_s=25)           # drains: streams say where to go on, then end
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grpc
from structlog.typing import FilteringBoundLogger

from mailvet.accounts.admission import Admission
from mailvet.accounts.audit_log import AuditLog
from mailvet.accounts.authenticator import Authenticator
from mailvet.accounts.guessing import Guessing
from mailvet.accounts.metering import Meter
from mailvet.accounts.second_factor import SecondFactor
from mailvet.accounts.tenant_keys import TenantKeys
from mailvet.accounts.token_keys import DerivedKeys, TokenKeys
from mailvet.accounts.tokens import Tokens
from mailvet.batches import limits
from mailvet.batches.cursor import Marks
from mailvet.batches.drain import Drain
from mailvet.batches.file_intake import FileIntake
from mailvet.batches.forgetting import Forget, forget_nothing
from mailvet.batches.intake import Intake
from mailvet.batches.lifecycle import Batches
from mailvet.batches.prepare import Preparation
from mailvet.batches.reading import FRAME_GAP_S, Results
from mailvet.batches.reverify import Reverification
from mailvet.batches.watch import FRAME_GAP_S as WATCH_GAP_S
from mailvet.batches.watch import Observer
from mailvet.callbacks.url import UrlRules
from mailvet.errors import ConfigError
from mailvet.model.access import Caller
from mailvet.model.admission import AdmissionLimits
from mailvet.rpc.account_service import AccountService
from mailvet.rpc.audit import Auditor
from mailvet.rpc.auth_service import AuthService
from mailvet.rpc.batch_service import BatchService
from mailvet.rpc.call import Method
from mailvet.rpc.catalog_service import CatalogService
from mailvet.rpc.dispatch import Dispatcher, methods_of
from mailvet.rpc.erase import AddressEraser
from mailvet.rpc.exports import Exports
from mailvet.rpc.file_stream import FileUploads
from mailvet.rpc.health import Health, health_methods
from mailvet.rpc.metrics import RpcCounters, RpcMetrics
from mailvet.rpc.reflection import reflection_methods
from mailvet.rpc.result_service import ResultService
from mailvet.rpc.usage import UsageBook
from mailvet.rpc.verification_service import VerificationService, Verifier
from mailvet.store.base import Store
from mailvet.telemetry.logs import logger
from mailvet.v1 import (
    account_service_pb2,
    auth_service_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_service_pb2,
    verification_service_pb2,
)

HARD_MESSAGE_BYTES = 16 * 1024 * 1024
"""Above this gRPC itself refuses, without our details; below it we say what is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the server listens; times in seconds."""

    address: str = "127.0.0.1:0"
    credentials: grpc.ServerCredentials | None = None
    """TLS; None listens in plain text."""
    require_keys: bool = False
    """Whether every caller needs an API key; without, all are the tenant `default`."""
    token_keys: TokenKeys | None = None
    """What signs tokens; None makes it of the store's secret."""
    certificates: Mapping[str, Caller] = field(default_factory=dict)
    """Who calls, by a name in the client's certificate."""
    audit_retention_s: float = 365 * 86_400.0
    """How long events stay in the audit log."""
    reflection: bool = True
    connection_age_s: float = 30 * 60
    """Connections are renewed after this, so that load spreads over new servers."""
    connection_grace_s: float = 5 * 60
    """What a stream has left then; clients resume."""
    lame_duck_s: float = 0
    """Between saying NOT_SERVING and refusing connections: a load balancer's polling time."""
    admission: AdmissionLimits = AdmissionLimits()  # noqa: RUF009 - a tuple
    min_heartbeat_s: float = limits.MIN_HEARTBEAT_S
    """The shortest heartbeat callers may ask for; tests use less."""
    callback_rules: UrlRules = field(default_factory=UrlRules)
    """Which URLs callers may name to be called."""
    watch_gap_s: float = WATCH_GAP_S
    frame_gap_s: float = FRAME_GAP_S


class Chore(Protocol):
    """What goes on beside the calls."""

    async def run(self) -> None:
        """Go on until cancelled."""
        ...

    async def close(self) -> None:
        """Finish what was begun."""
        ...


class RpcServer:
    """A gRPC server that can drain."""

    def __init__(
        self,
        server: grpc.aio.Server,
        port: int,
        health: Health,
        drain: Drain,
        lame_duck_s: float,
        meter: Meter,
        chores: Sequence[Chore],
        guessing: Guessing,
    ) -> None:
        self.port = port
        self.health = health
        self._server = server
        self._drain = drain
        self._lame_duck_s = lame_duck_s
        self._meter = meter
        self._chores = chores
        self._guessing = guessing
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take calls."""
        self._running = [asyncio.create_task(chore.run()) for chore in self._chores]
        await self._server.start()

    async def stop(self, grace_s: float) -> None:
        """Drain, then stop: what has not ended after `grace_s` seconds is cut off."""
        self.health.drain()
        self._drain.begin()
        self._guessing.let_go()
        if self._lame_duck_s:
            await asyncio.sleep(self._lame_duck_s)
        await self._server.stop(grace_s)
        await self._meter.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for chore in self._chores:
            await chore.close()


def build_server(  # noqa: PLR0913
    store: Store,
    verifier: Verifier,
    options: ServerOptions,
    *,
    metrics: RpcMetrics | None = None,
    log: FilteringBoundLogger | None = None,
    catalog: CatalogService | None = None,
    forget: Forget = forget_nothing,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> RpcServer:
    """Return a server that listens already but takes no calls before `start`.

    `forget(tenant, addresses)` has engines forget what they remember of some addresses. Call it
    inside the running event loop. Raises `ConfigError` when the address is not free.
    """
    drain = Drain()
    marks = Marks(store.secret, store.epoch)
    observer = Observer(store, clock=clock, wall_clock=wall_clock, gap_s=options.watch_gap_s)
    intake = Intake(store.secret, store.hindrances)
    batches = Batches(store, observer, intake, marks, forget=forget, wall_clock=wall_clock)
    results = Results(store, observer, clock=clock, gap_s=options.frame_gap_s)
    exports = Exports(store, clock=clock)
    files = FileUploads(batches, FileIntake(store, intake))
    admission = Admission(options.admission, clock=clock)
    meter = Meter(store, clock=clock, wall_clock=wall_clock)
    usage = UsageBook(store, marks, meter, wall_clock)
    eraser = AddressEraser(store, forget=forget, forget_exports=exports.forget)
    tokens = Tokens(options.token_keys or DerivedKeys(store.secret, wall_clock), wall_clock)
    authenticator = Authenticator(
        store,
        required=options.require_keys,
        clock=clock,
        wall_clock=wall_clock,
        tokens=tokens,
        certificates=options.certificates,
    )
    second_factor = SecondFactor(store, authenticator.keys, clock=clock, wall_clock=wall_clock)
    audit = AuditLog(store, retention_s=options.audit_retention_s, wall_clock=wall_clock)
    keys = TenantKeys(store, authenticator.keys, wall_clock)

    methods = [
        *_methods(
            batch_service_pb2,
            BatchService(
                batches,
                observer,
                exports,
                files,
                Preparation(store, intake),
                callback_rules=options.callback_rules,
                min_heartbeat_s=options.min_heartbeat_s,
            ),
        ),
        *_methods(
            result_service_pb2,
            ResultService(
                batches,
                results,
                marks,
                exports,
                Reverification(store, batches),
                min_heartbeat_s=options.min_heartbeat_s,
            ),
        ),
        *_methods(
            verification_service_pb2,
            VerificationService(verifier, meter, min_heartbeat_s=options.min_heartbeat_s),
        ),
        *_methods(catalog_service_pb2, catalog or CatalogService()),
        *_methods(auth_service_pb2, AuthService(tokens, second_factor)),
        *_methods(
            account_service_pb2, AccountService(store, usage, admission, keys, audit, marks, eraser)
        ),
    ]
    services = sorted({method.service for method in methods})
    health = Health(services)
    methods += health_methods(health)
    if options.reflection:
        methods += reflection_methods([*services, "grpc.health.v1.Health"])

    dispatcher = Dispatcher(
        authenticator,
        drain,
        metrics or RpcCounters(),
        log or logger("rpc"),
        clock,
        admission,
        Auditor(audit, wall_clock),
    )
    server = grpc.aio.server(options=_channel_options(options))
    server.add_generic_rpc_handlers(dispatcher.handlers(methods))
    return RpcServer(
        server,
        _listen(server, options),
        health,
        drain,
        options.lame_duck_s,
        meter,
        (audit, authenticator.uses, dispatcher.open_calls),
        dispatcher.guessing,
    )


def _methods(module: object, servicer: object) -> list[Method]:
    """The methods of the one service that a generated module describes."""
    (service,) = module.DESCRIPTOR.services_by_name.values()  # type: ignore[attr-defined]
    return methods_of(service, servicer)


def _listen(server: grpc.aio.Server, options: ServerOptions) -> int:
    try:
        if options.credentials is not None:
            return server.add_secure_port(options.address, options.credentials)
        return server.add_insecure_port(options.address)
    except RuntimeError:
        raise ConfigError(
            f"cannot listen on {options.address}: it is taken or not ours; set another `listen`"
        ) from None


def _channel_options(options: ServerOptions) -> list[tuple[str, int]]:
    return [
        # A second server on the same port is an error, not a silent share of the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", options.admission.connection_calls),
        ("grpc.max_receive_message_length", HARD_MESSAGE_BYTES),
        # Else it refuses callers who are near the limit: streams that end count as well for it.
        ("grpc.http.overload_protection", 0),
        # Above its own 1,000, gRPC ends calls at random with CANCELLED: anybody's.
        ("grpc.server.max_pending_requests", 20_000),
        ("grpc.server.max_pending_requests_hard_limit", 40_000),
        # Finds dead peers; some clients ping as often as every 10 s, even without calls.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.ping_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.max_connection_age_ms", int(options.connection_age_s * 1000)),
        ("grpc.max_connection_age_grace_ms", int(options.connection_grace_s * 1000)),
    ]
