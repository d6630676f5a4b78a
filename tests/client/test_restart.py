"""The client of a real server that is killed or drains in the middle of everything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess

WORLD = """
name = "restart"

[[host]]
name = "mx.restart.test"
addresses = ["127.0.78.1"]
domains = ["d{0..19}.restart.test"]
mailboxes = { users = 50 }
"""
COUNT = 20_000


@pytest.fixture(name="server")
async def _server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with Testbed(parse_world(WORLD), recorded_sessions=0) as bed:
        server = ServerProcess(bed, tmp_path, session_recipients="50", drain_grace_s="2")
        await server.start()
        yield server
        await server.kill()


def entries(count: int) -> Iterator[batch_pb2.Entry]:
    """Addresses of the world; each is there once for its number."""
    for n in range(count):
        yield batch_pb2.Entry(input_data=f"user{n % 50}@d{n % 20}.restart.test", custom=str(n))


async def test_an_upload_survives_kill_9(server: ServerProcess) -> None:
    """Killed twice in the middle of an upload, the batch has every entry once, in order."""
    kills = [COUNT // 4, COUNT // 2]
    restarts: list[asyncio.Task[None]] = []
    in_turn = asyncio.Lock()

    async def restart() -> None:
        async with in_turn:  # the second is due while the first still waits for its answer
            await server.kill()
            await server.start()

    def acked(count: int) -> None:
        if kills and count >= kills[0]:
            del kills[0]
            restarts.append(asyncio.ensure_future(restart()))

    async with server.client() as client:
        draft = batch_service_pb2.CreateBatchRequest(batch_id="up")
        await client.create_batch(draft)
        batch = await client.upload("up", entries(COUNT), acked=acked)
        await asyncio.gather(*restarts)
        page = await client.call(
            client.batches.GetBatch, batch_service_pb2.GetBatchRequest(batch_id="up")
        )
    assert (2, COUNT, COUNT) == (len(restarts), batch.entry_count, page.batch.entry_count)


@pytest.mark.parametrize("end", ["stop", pytest.param("kill", marks=pytest.mark.slow)])
async def test_results_survive_a_restart(server: ServerProcess, end: str) -> None:
    """Killed or drained in the middle of the stream, no result is missing and none comes twice."""
    count, seen, restarted = 3000, list[int](), False
    async with server.client() as client:
        await client.create_batch(
            batch_service_pb2.CreateBatchRequest(
                batch_id="down",
                deduplication=batch_pb2.DEDUPLICATION_OFF,
            )
        )
        await client.upload("down", entries(count), launch=True)
        request = result_service_pb2.StreamResultsRequest(batch_id="down", max_results=100)
        async for frame in client.stream_results(request):
            seen += [result.index for result in frame.results]
            if len(seen) > 500 and not restarted:
                restarted = True
                await getattr(server, end)()
                await server.start()
    assert list(range(count)) == sorted(seen)
    assert restarted
