"""A process that runs out of something: descriptors, or readers who keep up."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import connect
from mailvet.model.status import EntryStatus
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess
from tests.faults.proxy import Proxy, Toxics
from tests.faults.rig import verify

HOSTS = 40
ADDRESSES = [f"user{n % 10}@d{n // 10}.resources.test" for n in range(HOSTS * 10)]
ROUNDS = 10
SPARE = 6
"""Descriptors that are left: far fewer than the sessions that are wanted."""
READERS, RESULTS = 10, 60_000


def _world() -> str:
    """Hosts of their own, so that many sessions are wanted at once."""
    hosts = [
        f'[[host]]\nname = "mx{n}.resources.test"\naddresses = ["127.0.95.{n + 1}"]\n'
        f'domains = ["d{n}.resources.test"]\nmailboxes = {{ users = 10 }}\n'
        'personality = "tarpit"\noptions = { delay_s = 0.02, interval_s = 0 }\n'
        for n in range(HOSTS)
    ]
    return 'name = "resources"\n' + "\n".join(hosts)


class Process:
    """What Linux says of a process."""

    def __init__(self, server: ServerProcess) -> None:
        assert server.process is not None
        self.pid = server.process.pid

    def descriptors(self) -> int:
        """How many are open."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def resident_mib(self) -> float:
        """The resident set, in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize() / 2**20

    def allow_descriptors(self, count: int) -> None:
        """Limit them from now on."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (count, hard))


WARM_BATCHES = 50
"""Until then what is remembered of hosts, and what the allocator keeps, still grows."""


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[tuple[ServerProcess, Process]]:
    async with Testbed(parse_world(_world()), recorded_sessions=0) as bed:
        server = ServerProcess(bed, folder, time_scale="0.5")
        await server.start()
        try:
            yield server, Process(server)
        finally:
            await server.kill()


async def _until(true: Callable[[], bool], told: str) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, told
        await asyncio.sleep(0.05)


async def test_without_descriptors_work_waits_and_nothing_is_marked(tmp_path: Path) -> None:
    """With a handful of sockets for forty hosts every address is answered as ever, callers are
    served meanwhile, and every descriptor comes back."""
    async with _served(tmp_path) as (server, process), server.client() as client:
        assert {EntryStatus.SUCCESS} == set(await verify(client, "before", ADDRESSES))
        await asyncio.sleep(0.3)
        idle = process.descriptors()
        process.allow_descriptors(idle + SPARE)
        assert {EntryStatus.SUCCESS} == set(await verify(client, "starved", ADDRESSES))
        process.allow_descriptors(1024)
        assert {EntryStatus.SUCCESS} == set(await verify(client, "after", ADDRESSES))
        await _until(lambda: process.descriptors() <= idle * 1.05, "descriptors are lost")


@pytest.mark.slow
async def test_memory_comes_back_after_batch_upon_batch(tmp_path: Path) -> None:
    """Once warm, a dozen batches more leave memory and descriptors within a twentieth."""
    async with _served(tmp_path) as (server, process), server.client() as client:
        for number in range(WARM_BATCHES):
            await verify(client, f"warm{number}", ADDRESSES)
        warm_mib, idle = process.resident_mib(), process.descriptors()
        for number in range(15):
            await verify(client, f"more{number}", ADDRESSES)
        assert process.resident_mib() <= warm_mib * 1.05
        await _until(lambda: process.descriptors() <= idle * 1.05, "descriptors are lost")


Fault = Callable[[ServerProcess, Process, str], Awaitable[None]]
"""Does something to a server; the name is new each time."""


async def _streams_are_cancelled(server: ServerProcess, _process: Process, name: str) -> None:
    async with server.client() as client:
        await verify(client, name, ADDRESSES)
        request = result_service_pb2.StreamResultsRequest(batch_id=name, max_results=10)
        for _ in range(40):
            call = client.results.StreamResults(request)
            await call.read()
            call.cancel()


async def _uploads_are_cut(server: ServerProcess, _process: Process, name: str) -> None:
    entries = [batch_pb2.Entry(input_data=address) for address in ADDRESSES]
    async with server.client() as client:
        await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id=name))
        stub: Any = client.batches
        for _ in range(20):
            call = stub.StreamEntries()
            for _ in range(3):
                await call.write(
                    batch_service_pb2.StreamEntriesRequest(batch_id=name, entries=entries)
                )
            call.cancel()


async def _connections_are_reset(server: ServerProcess, _process: Process, name: str) -> None:
    behind = ("127.0.0.1", int(server.target.rpartition(":")[2]))
    toxics = Toxics(limit_bytes=60_000, reset=True)
    async with Proxy(behind, toxics=toxics) as proxy, connect(proxy.target) as client:
        await verify(client, name, ADDRESSES)


async def _descriptors_run_out(server: ServerProcess, process: Process, name: str) -> None:
    process.allow_descriptors(process.descriptors() + SPARE)
    async with server.client() as client:
        await verify(client, name, ADDRESSES)
    process.allow_descriptors(1024)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [_streams_are_cancelled, _uploads_are_cut, _connections_are_reset, _descriptors_run_out],
)
async def test_a_fault_that_comes_again_and_again_costs_nothing(
    fault: Fault, tmp_path: Path
) -> None:
    """Once warm, a fault met ten times more leaves memory and descriptors within a twentieth."""
    async with _served(tmp_path) as (server, process):
        idle = process.descriptors()
        for number in range(ROUNDS):
            await fault(server, process, f"warm{number}")
        warm_mib = process.resident_mib()
        for number in range(ROUNDS):
            await fault(server, process, f"more{number}")
        await _until(lambda: process.resident_mib() <= warm_mib * 1.05, "memory is lost")
        await _until(lambda: process.descriptors() <= idle + SPARE, "descriptors are lost")


@pytest.mark.slow
async def test_readers_who_do_not_read_cost_no_memory(tmp_path: Path) -> None:
    """Ten stuck readers of a large log hold what the transport holds, and another one reads on."""
    async with _served(tmp_path) as (server, process), server.client() as client:
        await verify(client, "b", (f"nobody{n}..at.all" for n in range(RESULTS)))
        before_mib = process.resident_mib()
        request = result_service_pb2.StreamResultsRequest(batch_id="b")
        async with AsyncExitStack() as stack:
            for _ in range(READERS):
                reader = await stack.enter_async_context(server.client())
                call = reader.results.StreamResults(request)
                stack.callback(call.cancel)
                await call.read()
            await asyncio.sleep(2)
            stuck_mib = process.resident_mib()
            await asyncio.sleep(2)
            assert process.resident_mib() <= stuck_mib * 1.05
            assert stuck_mib <= before_mib + READERS * 8
            seen = 0
            async for frame in client.stream_results(request):
                seen += len(frame.results)
        assert RESULTS == seen
