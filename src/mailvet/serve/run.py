"""One running service: store, engine and server, started in order and drained in reverse."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mailvet import __version__
from mailvet.batches.retention import Sweeper
from mailvet.compiled import is_compiled
from mailvet.config import Settings
from mailvet.errors import ConfigError, StoreInUse, Unavailable
from mailvet.rpc.catalog_service import CatalogService
from mailvet.rpc.health import ENGINE
from mailvet.rpc.plain_forms import PlainForms
from mailvet.rpc.server import RpcServer, build_server
from mailvet.serve.callback_room import CallbackRoom
from mailvet.serve.engine_room import EngineRoom
from mailvet.serve.listening import server_options
from mailvet.serve.probers import Probers
from mailvet.serve.process import read_tables, spare_the_collector
from mailvet.serve.quality import quality_terms
from mailvet.serve.vitals import Vitals
from mailvet.store.balance_book import BalanceBook
from mailvet.store.base import Store
from mailvet.store.hindrances import THROTTLED
from mailvet.store.keyring import KeyRing
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from mailvet.telemetry.logs import logger

HEALTH_EVERY_S = 1.0
"""How soon the health of the engine follows what the breaker found."""

SESSIONS_GRACE_S = 5.0
"""For SMTP sessions to end by themselves, out of the grace; a healthy one takes a second or two."""

_LOG = logger("serve")


async def open_store(settings: Settings) -> Store:
    """Open the store that the settings name."""
    if settings.store == ":memory:":
        return MemoryStore(
            storage_limit_bytes=settings.storage_limit_bytes, batch_limit=settings.batch_limit
        )
    store = await SqliteStore.open(
        settings.store,
        storage_limit_bytes=settings.storage_limit_bytes,
        batch_limit=settings.batch_limit,
    )
    for warning in store.warnings:
        _LOG.warning("store.warning", told=warning)
    return store


async def open_keys(settings: Settings) -> Store | KeyRing:
    """Open what keeps a store's keys: the store, or its key ring while a server has it open."""
    try:
        return await SqliteStore.open(settings.store)
    except StoreInUse:
        return KeyRing(Path(settings.store))


async def open_balances(settings: Settings) -> Store | BalanceBook:
    """Open what keeps a store's balances: the store, or its file beside a running server."""
    try:
        return await SqliteStore.open(settings.store)
    except StoreInUse:
        return BalanceBook(Path(settings.store))


class Service:
    """A service from its start to the end of its drain."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._options = server_options(settings)
        self._store: Store | None = None
        self._engine: EngineRoom | None = None
        self._server: RpcServer | None = None
        self._probers: Probers | None = None
        self._callbacks: CallbackRoom | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def address(self) -> str:
        """Where clients connect to."""
        listen = self._settings.listen
        if self._server is None or listen.startswith("unix:"):
            return listen
        return f"{listen.rpartition(':')[0]}:{self._server.port}"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.stop(0)
            raise
        return self

    async def _start(self) -> None:
        self._store = store = await open_store(self._settings)
        self._engine = engine = EngineRoom(self._settings, store, PlainForms())
        self._server = server = build_server(
            store,
            engine.realtime,
            self._options,
            forget=self._forget,
            catalog=CatalogService(
                quality_terms(self._settings),
                lambda: engine.lists_watch.lists,
                abuse_contact=self._settings.abuse_contact,
            ),
        )
        self._callbacks = callbacks = CallbackRoom(self._settings, store)
        engine.start()
        if self._settings.processes:
            self._probers = Probers(self._settings, store)
            self._probers.start()
        else:
            self._tasks.append(asyncio.create_task(engine.worker.run(), name="worker"))
        self._tasks += [
            asyncio.create_task(self._tell_health(engine, server), name="health"),
            asyncio.create_task(engine.lists_watch.run(), name="lists"),
            asyncio.create_task(Sweeper(store).run(), name="sweeper"),
            asyncio.create_task(self._vitals(engine).run(), name="vitals"),
            asyncio.create_task(callbacks.sender.run(), name="callbacks"),
        ]
        await server.start()
        _LOG.info("serve.ready", address=self.address, version=__version__, compiled=is_compiled())

    def _vitals(self, engine: EngineRoom) -> Vitals:
        return Vitals(engine, limit_mib=self._settings.memory_limit_mib)

    def _forget(self, tenant: str, texts: Sequence[str]) -> None:
        """Have every engine forget what it remembers of some addresses."""
        if self._engine is not None:
            self._engine.forget(tenant, texts)
        if self._probers is not None:
            self._probers.forget(tenant, texts)

    async def _tell_health(self, engine: EngineRoom, server: RpcServer) -> None:
        while True:
            server.health.set_serving(ENGINE, serving=await self._unhindered(engine))
            await asyncio.sleep(HEALTH_EVERY_S)

    async def _unhindered(self, engine: EngineRoom) -> bool:
        assert self._store is not None
        try:
            await engine.say_again()
            hindrances = await self._store.hindrances()
        except Unavailable:
            return False
        # Who asks for less holds up his own mail only.
        held_up = any(kind != THROTTLED for kind, _ in hindrances)
        return not engine.breaker.open and not held_up

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop(self._settings.drain_grace_s)

    async def stop(self, grace_s: float) -> None:
        """Drain: say so, end streams with their cursors, hand work back, close the store."""
        sessions_grace_s = min(SESSIONS_GRACE_S, grace_s / 2)
        if self._engine is not None:
            self._engine.worker.stop_claiming()
        if self._server is not None:
            await self._server.stop(grace_s - sessions_grace_s)
        if self._probers is not None:
            await self._probers.stop(sessions_grace_s)
        if self._engine is not None:
            await self._engine.close(sessions_grace_s)
        for task in self._tasks:
            task.cancel()  # the worker last: it settles what the sessions brought
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._callbacks is not None:
            await self._callbacks.close()
        if self._store is not None:
            await self._store.close()
        self._server = self._engine = self._store = self._probers = self._callbacks = None
        self._tasks = []

    async def run_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT, or until the worker dies of a fault."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        waiting = asyncio.create_task(told.wait())
        done, _ = await asyncio.wait((waiting, *self._tasks), return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()  # a worker never ends by itself: this raises why it did
        _LOG.info("serve.draining", grace_s=self._settings.drain_grace_s)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)  # a second signal ends at once
        with contextlib.suppress(asyncio.CancelledError):
            await self.stop(self._settings.drain_grace_s)


async def serve(settings: Settings) -> None:
    """Run a service until it is told to stop."""
    try:
        async with Service(settings) as service:
            read_tables()
            spare_the_collector()
            print(f"mailvet {__version__} serves on {service.address}", flush=True)  # noqa: T201
            await service.run_until_signal()
    except OSError as error:
        raise ConfigError(f"cannot serve: {error}") from None
