"""A real server as a process, in front of a real mail internet on loopback."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import grpc

from mailvet.client import Client, ServiceError, connect
from mailvet.v1 import catalog_service_pb2
from tests.nursery import Child, spawn

START_TIMEOUT_S = 20.0
LOOK_AGAIN_S = 0.02
NOT_EPHEMERAL = (10_000, 32_768)
"""Below the ports that Linux gives away by itself."""


def free_port() -> int:
    """A TCP port that was free a moment ago, and that the kernel gives nobody who asks for any."""
    while True:
        port = random.randrange(*NOT_EPHEMERAL)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class MailInternet(Protocol):
    """Where names and mail are."""

    @property
    def resolver(self) -> str:
        """`HOST:PORT` of the name server."""
        ...

    @property
    def smtp_port(self) -> int:
        """Of every exchanger."""
        ...


Process = asyncio.subprocess.Process | Child


class ServerProcess:
    """`mailvet serve` on a store that outlives it."""

    def __init__(self, bed: MailInternet, folder: Path, **settings: str) -> None:
        self.target = f"127.0.0.1:{free_port()}"
        self.store = folder / "store.db"
        self._log = folder / "serve.log"
        self._settings = {
            "listen": self.target,
            "store": str(self.store),
            "resolver": bed.resolver,
            "smtp-port": str(bed.smtp_port),
            "allow-network": "127.0.0.0/8",
            "helo": "server.mailvet.test",
            "time-scale": "0.1",
            "dns-timeout-s": "1.5",
            "egress-canaries": "",
            "log-format": "json",
            **{name.replace("_", "-"): value for name, value in settings.items()},
        }
        self.process: Process | None = None
        self.start_timeout_s = START_TIMEOUT_S
        """More for a store that is large."""
        self.connection: dict[str, Any] = {}
        """What a client needs beside the target: a key, certificates."""

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with more in its environment, and wait until it answers."""
        flags = [part for name, value in self._settings.items() for part in (f"--{name}", value)]
        self.process = await self._spawn(flags, {**os.environ, **(environment or {})})
        deadline = asyncio.get_running_loop().time() + self.start_timeout_s
        while not (await self._listens() and await self._answers()):
            if self.process.returncode is not None or (
                asyncio.get_running_loop().time() > deadline
            ):
                raise AssertionError(f"the server did not start:\n{self.log()}")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _spawn(self, flags: list[str], environment: Mapping[str, str]) -> Process:
        return spawn(["serve", *flags], environment, self._log)

    async def _listens(self) -> bool:
        # Looked at first: a channel that was refused once waits a second before it tries again.
        host, _, port = self.target.rpartition(":")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return True
        return False

    async def _answers(self) -> bool:
        with contextlib.suppress(ServiceError, grpc.RpcError):
            async with connect(self.target, **self.connection) as client:
                request = catalog_service_pb2.GetServerInfoRequest()
                await client.call(client.catalog.GetServerInfo, request, timeout_s=1, patience_s=1)
                return True
        return False

    async def kill(self) -> None:
        """`kill -9`."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()

    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text("utf-8", "replace")

    def resident_mib(self) -> float:
        """The resident set now, in MiB (Linux)."""
        return self._status_mib("VmRSS")

    def peak_memory_mib(self) -> float:
        """The largest resident set it ever had, in MiB (Linux)."""
        return self._status_mib("VmHWM")

    def _status_mib(self, field: str) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        line = next(line for line in status.splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """The processor time that it and its children have used, user and system (Linux)."""
        assert self.process is not None
        return sum(map(cpu_seconds_of, (self.process.pid, *self.children())))

    def children(self) -> list[int]:
        """The processes it started (Linux)."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task")
        listed = " ".join(path.read_text("ascii") for path in tasks.glob("*/children"))
        return [int(number) for number in listed.split()]

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client of it."""
        async with connect(self.target, **self.connection) as client:
            yield client


class FreshServerProcess(ServerProcess):
    """One that Python itself starts, as in use: what is measured is measured on this."""

    async def _spawn(self, flags: list[str], environment: Mapping[str, str]) -> Process:
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mailvet", "serve", *flags),
                stdout=log,
                stderr=log,
                env=environment,
            )


def cpu_seconds_of(pid: int) -> float:
    """The processor time that one process has used, user and system (Linux)."""
    stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
