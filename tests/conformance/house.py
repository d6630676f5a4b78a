"""Every server that scenarios are played on, started when the first one needs it."""

import asyncio
import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests.conformance.real import RealServer
from tests.conformance.scenario import REAL
from tests.conformance.scripted import Heard, Scripted
from tests.faults.proxy import WELL, Proxy, Toxics

WORLD = """
name = "conformance"

[[host]]
name = "mx.conformance.test"
addresses = ["127.0.99.1"]
domains = ["d{0..9}.conformance.test"]
mailboxes = { users = 10000 }
"""


class Stage:
    """What a driver connects to while it plays one scenario."""

    def __init__(self, proxy: Proxy, server: RealServer | Scripted) -> None:
        self._proxy = proxy
        self._server = server

    @property
    def target(self) -> str:
        """Where clients connect to."""
        return self._proxy.target

    @property
    def words(self) -> dict[str, str]:
        """What `$word` stands for in the scenario."""
        return self._server.words if isinstance(self._server, RealServer) else {}

    def heard(self) -> list[Heard]:
        """What a scripted server was sent."""
        assert isinstance(self._server, Scripted)
        return self._server.heard

    async def inflict(self, fault: str, batch_id: str) -> None:
        """Do what a fault says."""
        if fault == "cut":
            self._proxy.reset_all()
            return
        if fault == "silence":
            await self._silence()
            return
        assert isinstance(self._server, RealServer), f"{fault}: write it in the script"
        if fault == "erase":
            await self._server.erase(batch_id)
        else:
            await getattr(self._server, fault)()

    async def _silence(self) -> None:
        before = self._proxy.connections
        self._proxy.toxics = Toxics(swallow=True)
        while self._proxy.connections == before:
            await asyncio.sleep(0.1)
        self._proxy.toxics = WELL
        self._proxy.reset_all()  # what was begun in the silence would never be answered

    def log(self) -> str:
        """What a real server wrote last."""
        return self._server.log() if isinstance(self._server, RealServer) else ""


class House:
    """Every server there is; an async context manager that ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = AsyncExitStack()
        self._bed: Testbed | None = None
        self._scripted: tuple[Proxy, Scripted] | None = None
        self._real: dict[str, Stage] = {}

    async def __aenter__(self) -> "House":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def stage(self, server: Any, settings: dict[str, str]) -> Stage:
        """Return what to connect to: a real server with these settings, or the scripted one,
        which answers as `server` says from now on."""
        if server == REAL:
            return await self._real_one(settings)
        if self._scripted is None:
            scripted = Scripted()
            await scripted.start()
            self._open.push_async_callback(scripted.stop)
            proxy = await self._open.enter_async_context(Proxy(("127.0.0.1", scripted.port)))
            self._scripted = proxy, scripted
        proxy, scripted = self._scripted
        scripted.play(server, proxy.reset_all)
        return Stage(proxy, scripted)

    async def _real_one(self, settings: dict[str, str]) -> Stage:
        known = json.dumps(settings, sort_keys=True)
        if known not in self._real:
            folder = Path(tempfile.mkdtemp(prefix="server-", dir=self._folder))
            server = RealServer(await self._mail(), folder, settings)
            proxy = await self._open.enter_async_context(await server.start())
            self._open.push_async_callback(server.stop)
            self._real[known] = Stage(proxy, server)
        return self._real[known]

    async def _mail(self) -> Testbed:
        if self._bed is None:
            bed = Testbed(parse_world(WORLD), recorded_sessions=0)
            self._bed = await self._open.enter_async_context(bed)
        return self._bed
