"""A world brought to life: one name server and every mail host, on loopback."""

import asyncio
import errno
import socket
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from mailvet.testbed.mailhost import MailHost
from mailvet.testbed.nameserver import NameServer
from mailvet.testbed.personalities import CLOSED
from mailvet.testbed.sessions import DEFAULT_LIMIT, SessionLog
from mailvet.testbed.tls import server_context
from mailvet.testbed.world import World

PORT_TRIES = 20
"""Ports tried until one is free on every address of the world."""


class Testbed:
    """An async context manager; everything listens inside it and nothing outside."""

    __test__ = False  # for pytest, which takes every Test* for a test

    def __init__(
        self,
        world: World,
        resolver_port: int = 0,
        smtp_port: int = 0,
        *,
        recorded_sessions: int = DEFAULT_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Port 0 takes a free one. `recorded_sessions=0` turns the record off, for load.

        `clock` gives seconds to personalities that remember (greylists, rate limits), so that a
        test can let an hour pass.
        """
        self.world = world
        self.sessions = SessionLog(recorded_sessions)
        self.smtp_port = smtp_port
        self._names = NameServer(world, port=resolver_port)
        self._hosts = [
            MailHost(host, self.sessions, clock)
            for host in world.hosts
            if host.personality != CLOSED
        ]
        self._closed: list[socket.socket] = []

    @property
    def resolver(self) -> str:
        """Where the name server is, as `127.0.0.1:PORT`."""
        return self._names.endpoint

    @property
    def queries(self) -> Counter[tuple[str, str]]:
        """DNS queries so far by (lower-case name, type)."""
        return self._names.queries

    @property
    def allow_networks(self) -> tuple[str, ...]:
        """The networks a client must be allowed to dial to reach every mail host."""
        v6 = any(":" in address for host in self.world.hosts for address in host.addresses)
        return ("127.0.0.0/8", "::1/128") if v6 else ("127.0.0.0/8",)

    def reset(self) -> None:
        """Forget queries, ended sessions, greylists and counters; sockets stay as they are."""
        self._names.queries.clear()
        self._names.tcp_queries.clear()
        self.sessions.clear()
        for host in self._hosts:
            host.reset()

    async def __aenter__(self) -> "Testbed":
        """Start everything; raises `OSError` when a port that was asked for is taken."""
        if any("STARTTLS" in host.extensions for host in self.world.hosts):
            server_context()  # made now: a session must not wait for it, nor find it missing
        await self._names.start()
        try:
            sockets = self._bind()
        except OSError:
            await self._names.stop()
            raise
        for host in self._hosts:
            await host.start([sockets.pop(address) for address in host.host.addresses])
        # Bound, never listening: refuses connections, and nobody else can take the port.
        self._closed = list(sockets.values())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every socket and session."""
        await asyncio.gather(*(host.stop() for host in self._hosts), self._names.stop())
        for bound in self._closed:
            bound.close()

    def _bind(self) -> dict[str, socket.socket]:
        """Bind every address of the world to one port."""
        addresses = [address for host in self.world.hosts for address in host.addresses]
        for left in range(PORT_TRIES, 0, -1):
            try:
                return self._bind_all(addresses)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or self.smtp_port or left == 1:
                    raise
        raise AssertionError("the last try returns or raises")

    def _bind_all(self, addresses: list[str]) -> dict[str, socket.socket]:
        bound: dict[str, socket.socket] = {}
        port = self.smtp_port
        try:
            for address in addresses:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                bound[address] = socket.socket(family, socket.SOCK_STREAM)
                bound[address].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound[address].bind((address, port))
                port = port or bound[address].getsockname()[1]
        except OSError:
            for half in bound.values():
                half.close()
            raise
        self.smtp_port = port
        return bound
