"""SIGTERM at random moments under load: everybody is told, nobody is cut off, nothing is lost."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess

WORLD = """
name = "drain"

[[host]]
name = "mx.drain.test"
addresses = ["127.0.91.1"]
personality = "tarpit"
options = { delay_s = 0.02, interval_s = 0 }
domains = ["d{0..39}.drain.test"]
mailboxes = { users = 20 }

[[host]]
name = "mx.late.test"
addresses = ["127.0.91.2"]
personality = "tarpit"
options = { delay_s = 20, interval_s = 0 }
domains = ["late.test"]
mailboxes = { users = 20 }
"""
COUNT = 320
GRACE_S = 3.0
Request = result_service_pb2.StreamResultsRequest


@asynccontextmanager
async def _loaded(folder: Path, **more: str) -> AsyncIterator[tuple[Testbed, ServerProcess]]:
    """A server with a running batch."""
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {"session_recipients": "10", "route_sessions": "8", **more}
        server = ServerProcess(bed, folder, drain_grace_s=str(GRACE_S), **settings)
        await server.start()
        try:
            async with server.client() as client:
                await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="b"))
                await client.upload("b", _entries(), launch=True)
            yield bed, server
        finally:
            await server.kill()


def _entries() -> list[batch_pb2.Entry]:
    names = [f"user{n // 40}@d{n % 40}.drain.test" for n in range(COUNT)]
    return [batch_pb2.Entry(input_data=name) for name in [*names, "user1@late.test"]]


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 12))]
)
async def test_a_drain_under_load_is_polite_to_everybody(seed: int, tmp_path: Path) -> None:
    """Health says so, streams end with a cursor, SMTP sessions with QUIT, the process with 0."""
    moment_s = random.Random(seed).uniform(0, 0.6)
    async with _loaded(tmp_path, time_scale="1") as (bed, server):
        health = asyncio.ensure_future(_hears_not_serving(server))
        async with server.client() as client:
            call = client.results.StreamResults(Request(batch_id="b", max_results=50))
            reading = asyncio.ensure_future(_read(call))
            while not bed.sessions.open["mx.late.test"] or health.done():
                await asyncio.sleep(0.01)
            await asyncio.sleep(moment_s)
            began = time.monotonic()
            assert 0 == await asyncio.wait_for(server.stop(), GRACE_S + 2)
            took_s = time.monotonic() - began
            seen, last = await reading
        assert took_s < GRACE_S + 1
        assert (await health) - began < 0.5
        assert grpc.StatusCode.UNAVAILABLE == await call.code()
        assert last.HasField("going_away")
        left = [one for one in bed.sessions.all if one.commands and not one.said_quit]
        assert [] == left
        assert [] == [one.faults for one in bed.sessions.all if one.faults]
        await server.start()
        async with server.client() as client:
            request = Request(batch_id="b", cursor=last.cursor, follow=False)
            async with asyncio.timeout(20):
                while len(seen) < COUNT:
                    async for frame in client.stream_results(request):
                        seen += [result.index for result in frame.results]
                        request.cursor = frame.cursor or request.cursor
        assert list(range(COUNT)) == sorted(index for index in seen if index < COUNT)


async def _hears_not_serving(server: ServerProcess) -> float:
    """Watch the health of the server, and return the time when it was bad."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        async for told in stub.Watch(health_pb2.HealthCheckRequest()):
            if told.status == health_pb2.HealthCheckResponse.NOT_SERVING:
                return time.monotonic()
    raise AssertionError("the stream ended without a word")


async def _read(call: Any) -> tuple[list[int], Any]:
    seen: list[int] = []
    last = None
    try:
        async for frame in call:
            seen += [result.index for result in frame.results]
            last = frame
    except grpc.aio.AioRpcError:
        pass
    return seen, last


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Who cannot wait for the drain is not made to."""
    async with _loaded(tmp_path, time_scale="1") as (bed, server):
        assert server.process is not None
        while not bed.sessions.open["mx.late.test"]:
            await asyncio.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        while "serve.draining" not in server.log():
            await asyncio.sleep(0.01)
        began = time.monotonic()
        assert -signal.SIGTERM == await server.stop()
        assert time.monotonic() - began < 0.5
