"""A million entries in, a million results out: what is held does not grow with them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess

WORLD = """
name = "quiet"

[[host]]
name = "mx.quiet.test"
addresses = ["127.0.98.1"]
domains = ["quiet.test"]
"""
ENTRIES = 1_000_000
PEAK_MIB = 512
FRAMES = 20
"""Read by the slow reader, one a second."""
WARM_FRAMES = 5
"""After so many what the transport holds has filled."""


def _entries() -> Iterator[batch_pb2.Entry]:
    """Decided by their syntax: what is tested is the way in and out."""
    for number in range(ENTRIES):
        yield batch_pb2.Entry(input_data=f"nobody{number}..at.all")


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_million_entries_stay_in_bounds(tmp_path: Path) -> None:
    """A reader of one frame a second costs no memory that grows, and another reads to the end;
    from first to last the process stays below 512 MiB."""
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path)
        await server.start()
        try:
            async with server.client() as client, server.client() as slow:
                create = batch_service_pb2.CreateBatchRequest(
                    batch_id="b", deduplication=batch_pb2.DEDUPLICATION_OFF
                )
                await client.create_batch(create)
                await client.upload("b", _entries(), launch=True)
                wait = batch_service_pb2.GetBatchRequest(batch_id="b")
                while (await client.batches.GetBatch(wait)).batch.state != (
                    batch_pb2.BATCH_STATE_COMPLETED
                ):
                    await asyncio.sleep(0.5)
                request = result_service_pb2.StreamResultsRequest(batch_id="b", max_results=1000)
                call = slow.results.StreamResults(request)
                resident: list[float] = []
                for _ in range(FRAMES):
                    await call.read()
                    await asyncio.sleep(1)
                    resident.append(server.resident_mib())
                assert resident[-1] <= resident[WARM_FRAMES] * 1.05
                seen = bytearray(ENTRIES)
                async for frame in client.stream_results(request):
                    for result in frame.results:
                        seen[result.index] += 1
                call.cancel()
            assert {1} == set(seen)
            assert server.peak_memory_mib() < PEAK_MIB
        finally:
            await server.kill()
