"""The same dialogues by a bare loop: no store, no verdicts, no limits, nothing but sockets.

What the hot path costs beyond this is what the service itself costs. It keeps no deadline and
understands only the world of `bench.world`.
"""

import asyncio
import resource
import secrets
import struct
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import uvloop

from bench.shapes import Shape
from bench.world import World, roomy

SESSIONS = 500
RECIPIENTS = 50
"""As the service is set in `bench.verify`."""

Task = tuple[int, list[str]]
"""An exchanger, and the addresses to ask it about, made-up ones included."""


class Floor:
    """Asks about every address of a shape in one go."""

    def __init__(self, shape: Shape, there: World, count: int) -> None:
        self._shape = shape
        self._there = there
        self._count = count
        self._accepted = 0
        self._addresses: dict[str, str] = {}

    async def measure(self) -> dict[str, float]:
        """Return CPU µs for each address, and addresses a second."""
        tasks = list(self._tasks())
        used_s, took_s = await measured(lambda: self._ask_all(iter(tasks)))
        return {
            "floor_cpu_us": round(used_s / self._count * 1e6, 1),
            "floor_addresses_per_s": round(self._count / took_s),
        }

    def _tasks(self) -> Iterator[Task]:
        """Addresses by exchanger, in sessions; once a domain somebody made up comes along."""
        by_exchanger: dict[int, list[str]] = {}
        for number, address in enumerate(self._shape.addresses(self._count)):
            domain = number % self._shape.domains
            mine = by_exchanger.setdefault(self._shape.exchanger_of(domain), [])
            if number < self._shape.domains:
                mine.append(f"v{secrets.token_hex(8)}@d{domain}.example.net")
            mine.append(address)
        for exchanger, addresses in by_exchanger.items():
            for at in range(0, len(addresses), RECIPIENTS):
                yield exchanger, addresses[at : at + RECIPIENTS]

    async def _ask_all(self, tasks: Iterator[Task]) -> None:
        loop = asyncio.get_running_loop()
        names, asker = await loop.create_datagram_endpoint(
            Asker, remote_addr=self._there.dns_address
        )
        self._known: dict[str, asyncio.Future[str]] = {}

        async def work() -> None:
            for _, addresses in tasks:
                domains = {address.rpartition("@")[2] for address in addresses}
                for domain in domains:
                    where = await self._place(asker, domain)
                ended: asyncio.Future[int] = loop.create_future()
                await loop.create_connection(
                    lambda ended=ended, addresses=addresses: _Visitor(addresses, ended),  # type: ignore[misc]
                    where,
                    self._there.smtp_port,
                )
                self._accepted += await ended

        await asyncio.gather(*(work() for _ in range(SESSIONS)))
        names.close()

    async def _place(self, asker: "Asker", domain: str) -> str:
        """The address of a domain's exchanger; every question is asked once."""
        host = await self._once(asker, domain, 15)
        return await self._once(asker, host, 1)

    async def _once(self, asker: "Asker", name: str, rdtype: int) -> str:
        waiting = self._known.get(name)
        if waiting is None:
            waiting = self._known[name] = asker.ask(name, rdtype)
        return await waiting


async def measured(work: Callable[[], Coroutine[Any, Any, None]]) -> tuple[float, float]:
    """Do work on a loop in a thread of its own; return its CPU seconds, and how long it took."""

    def in_own_loop() -> tuple[float, float]:
        before, began = resource.getrusage(resource.RUSAGE_THREAD), time.perf_counter()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work())
        after, ended = resource.getrusage(resource.RUSAGE_THREAD), time.perf_counter()
        used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return used_s, ended - began

    return await asyncio.to_thread(in_own_loop)


class Asker(asyncio.DatagramProtocol):
    """Questions and answers of the one form the world has."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[asyncio.Future[str], int, str]] = {}
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        roomy(transport)

    def ask(self, name: str, rdtype: int) -> "asyncio.Future[str]":
        number = secrets.randbelow(65536)
        while number in self._waiting:
            number = secrets.randbelow(65536)
        future: asyncio.Future[str] = self._loop.create_future()
        self._waiting[number] = future, rdtype, name
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
        self._transport.sendto(
            struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 1)
            + labels
            + struct.pack(">BHH", 0, rdtype, 1)
            + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
        )
        return future

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - connected
        future, rdtype, name = self._waiting.pop(data[0] << 8 | data[1])
        at = 12 + len(name) + 6 + 12
        if rdtype == 1:
            future.set_result(".".join(map(str, data[at : at + 4])))
        else:
            label = data[at + 3 : at + 3 + data[at + 2]].decode()
            future.set_result(f"{label}.{name.partition('.')[2]}")


class _Visitor(asyncio.Protocol):
    """One session: EHLO, one group, QUIT."""

    def __init__(self, addresses: list[str], ended: "asyncio.Future[int]") -> None:
        self._ended = ended
        lines = ["MAIL FROM:<>", *(f"RCPT TO:<{address}>" for address in addresses)]
        self._groups = iter(
            [b"EHLO floor.test\r\n", "\r\n".join([*lines, ""]).encode(), b"QUIT\r\n"]
        )
        self._sizes = iter([1, 1, len(lines), 1])
        self._due = next(self._sizes)
        self._accepted = 0
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\r\n")
        for line in lines:
            if line[3:4] == b"-":
                continue
            self._accepted += line.startswith(b"250 2.1.5")
            self._due -= 1
        if not self._due:
            self._due = next(self._sizes, 0)
            if self._due:
                self._transport.write(next(self._groups))
            else:
                self._transport.close()
                self._ended.set_result(self._accepted)
