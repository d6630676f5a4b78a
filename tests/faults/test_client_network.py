"""A sick network between clients and the server: nothing lost, nothing doubled, nothing held."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.client import Client, connect
from mailvet.model.admission import CONNECTION_CALLS
from mailvet.model.status import EntryStatus
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.faults.proxy import Proxy, Toxics
from tests.faults.rig import service_before, task_count, verify

WORLD = """
name = "clients"

[[host]]
name = "mx.clients.test"
addresses = ["127.0.94.1"]
domains = ["clients.test"]
mailboxes = { users = 20 }
"""
FAULTY = 3000
"""Entries that are decided by their syntax: what is tested is the way in and out."""
SILENT = 500
NOTICED_S = 90
"""Keepalive asks after 30 s without a word, 60 s when its timer had just been set, and waits 20."""


@asynccontextmanager
async def _proxied(folder: Path, toxics: Toxics) -> AsyncIterator[tuple[Service, Proxy]]:
    async with (
        Testbed(parse_world(WORLD)) as bed,
        service_before(bed, folder) as service,
        Proxy(("127.0.0.1", int(service.address.rpartition(":")[2])), toxics=toxics) as proxy,
    ):
        yield service, proxy


def _addresses() -> Iterator[str]:
    for number in range(FAULTY):
        yield f"nobody{number}..at.all"


@pytest.mark.parametrize(
    "toxics",
    [
        pytest.param(Toxics(latency_s=0.02), id="latency", marks=pytest.mark.slow),
        pytest.param(Toxics(slice_bytes=500), id="slicer", marks=pytest.mark.slow),
        pytest.param(Toxics(close_delay_s=0.3), id="slow_close", marks=pytest.mark.slow),
        pytest.param(Toxics(limit_bytes=30_000), id="limit_data", marks=pytest.mark.slow),
        pytest.param(Toxics(limit_bytes=30_000, reset=True), id="reset_peer"),
    ],
)
async def test_a_batch_goes_in_and_comes_out_over_a_sick_network(
    toxics: Toxics, tmp_path: Path
) -> None:
    """However the connection is spoilt, every entry is kept once and answered once."""
    async with _proxied(tmp_path, toxics) as (_, proxy):
        before = await task_count()
        async with connect(proxy.target) as client:
            found = await verify(client, "b", _addresses())
        assert [EntryStatus.AT_SIGN_NOT_FOUND] * FAULTY == found
        if toxics.limit_bytes is not None:
            assert proxy.connections > 2
        proxy.reset_all()  # its tasks are not the service's
        assert await task_count(before * 1.05) <= before * 1.05


@pytest.mark.slow
async def test_a_network_that_forgets_the_connection_is_noticed(tmp_path: Path) -> None:
    """Without a word from the network, keepalive finds out, and the stream goes on elsewhere."""
    async with _proxied(tmp_path, Toxics()) as (_, proxy), connect(proxy.target) as client:
        await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="b"))
        frames = client.stream_results(result_service_pb2.StreamResultsRequest(batch_id="b"))
        reading = asyncio.ensure_future(_count_of(frames))
        await asyncio.sleep(0.2)
        proxy.toxics = Toxics(swallow=True)
        silent_since = time.monotonic()
        while proxy.connections < 2:
            await asyncio.sleep(0.1)
            assert time.monotonic() - silent_since < NOTICED_S
        proxy.toxics = Toxics()
        proxy.reset_all()
        async with connect(proxy.target) as other:
            entries = [batch_pb2.Entry(input_data="a..b")]
            await other.upload("b", entries, launch=True)
        async with asyncio.timeout(30):
            assert 1 == await reading


async def _count_of(frames: AsyncIterator[result_service_pb2.StreamResultsResponse]) -> int:
    """How many results come, until there are no more."""
    return sum([len(frame.results) async for frame in frames])


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4))])
async def test_streams_that_are_cancelled_anywhere_resume_with_the_rest(
    seed: int, tmp_path: Path
) -> None:
    """Cut at random frames many times, the cursor gives exactly the rest; no task stays behind."""
    dice = random.Random(seed)
    async with _proxied(tmp_path, Toxics()) as (service, _), connect(service.address) as client:
        await verify(client, "b", _addresses())
        before = await task_count()
        seen: list[int] = []
        request = result_service_pb2.StreamResultsRequest(batch_id="b", max_results=20)
        done = False
        while not done:
            call: Any = client.results.StreamResults(request)
            for _ in range(dice.randint(0, 5)):
                frame = await call.read()
                seen += [result.index for result in frame.results]
                request.cursor, done = frame.cursor, frame.done
                if done:
                    break
            call.cancel()
        assert list(range(FAULTY)) == sorted(seen)
        assert await task_count(before * 1.05) <= before * 1.05


@pytest.mark.timeout(60)
async def test_silent_clients_do_not_slow_the_others(tmp_path: Path) -> None:
    """Hundreds of connections that say nothing, and streams that go nowhere: others are served
    at most twice as slowly, and nothing of them stays."""
    async with _proxied(tmp_path, Toxics()) as (service, _), connect(service.address) as client:
        await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="b"))
        before = await task_count()
        alone_s = await _typical_s(client)
        async with AsyncExitStack() as stack:
            await _be_silent(service, stack)
            crowded_s = await _typical_s(client)
        assert crowded_s <= 2 * alone_s + 0.001
        deadline = time.monotonic() + 5
        while await task_count() > before * 1.05:
            assert time.monotonic() < deadline, "streams of clients that went away still run"


async def _typical_s(client: Client) -> float:
    """The median of the fastest of three rounds: the machine may be busy, not we."""
    request = batch_service_pb2.GetBatchRequest(batch_id="b")
    rounds = []
    for _ in range(3):
        times = []
        for _ in range(60):
            began = time.perf_counter()
            await client.call(client.batches.GetBatch, request)
            times.append(time.perf_counter() - began)
        rounds.append(statistics.median(times))
    return min(rounds)


async def _be_silent(service: Service, stack: AsyncExitStack) -> None:
    """Half of them never finish an HTTP/2 preface, half hold an upload open without a frame."""
    host, _, port = service.address.rpartition(":")
    for _ in range(SILENT // 2):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"PRI * HTTP/2.0\r\n")
        stack.callback(writer.close)
    calls: list[Any] = []
    while len(calls) < SILENT // 2:
        # A connection of its own: the server takes no more than so many calls of one.
        own = grpc.aio.insecure_channel(
            service.address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        stub: Any = Client(await stack.enter_async_context(own)).batches
        room = min(CONNECTION_CALLS, SILENT // 2 - len(calls))
        calls += [stub.StreamEntries() for _ in range(room)]
    for call in calls:
        stack.callback(call.cancel)
    await asyncio.gather(
        *(call.write(batch_service_pb2.StreamEntriesRequest(batch_id="b")) for call in calls)
    )
    await asyncio.gather(*(call.read() for call in calls))
