"""Probing processes beside the serving one: the same answers, and none lost with one of them."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from mailvet.model.status import EntryStatus
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess

ENTRIES = 1200

WORLD = """
name = "processes"

[[host]]
name = "mx.many.test"
addresses = ["127.0.79.1"]
domains = ["d{0..39}.many.test"]
mailboxes = { users = 50 }
"""


def expected_of(index: int) -> int:
    """The truth of the world: every domain has fifty mailboxes."""
    known = index % 60 < 50
    status = EntryStatus.SUCCESS if known else EntryStatus.MAILBOX_DOES_NOT_EXIST
    return status.value


@pytest.mark.timeout(100)
async def test_two_processes_answer_a_batch(tmp_path: Path) -> None:
    """Each entry is answered once and rightly, though one of them is killed amid the work."""
    kills = 1
    addresses = [f"user{n % 60}@d{n // 60 % 40}.many.test" for n in range(ENTRIES)]
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(
            bed, tmp_path, processes="2", session_recipients="5", window_entries="100"
        )
        await server.start()
        try:
            async with server.client() as client:
                request = batch_service_pb2.CreateBatchRequest(
                    batch_id="many", deduplication=batch_pb2.DEDUPLICATION_OFF
                )
                await client.create_batch(request)
                entries = (batch_pb2.Entry(input_data=address) for address in addresses)
                await client.upload("many", entries, launch=True)
                seen: Counter[int] = Counter()
                reading = result_service_pb2.StreamResultsRequest(batch_id="many", max_results=20)
                async for frame in client.stream_results(reading):
                    for result in frame.results:
                        seen[result.index] += 1
                        assert expected_of(result.index) == result.status
                    if kills and len(seen) > ENTRIES // 4:
                        os.kill(server.children()[0], signal.SIGKILL)
                        kills = 0
            assert dict.fromkeys(range(ENTRIES), 1) == seen
            assert 0 == await asyncio.wait_for(server.stop(), 20)
        finally:
            await server.kill()


async def test_processes_end_with_the_one_that_serves(tmp_path: Path) -> None:
    """`kill -9` of the serving process leaves no process behind."""
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path, processes="2")
        await server.start()
        children = server.children()
        await server.kill()

    assert 2 == len(children)
    async with asyncio.timeout(60):  # they may not have begun to listen yet
        while any(_lives(pid) for pid in children):
            await asyncio.sleep(0.05)


def _lives(pid: int) -> bool:
    """Whether a process runs; one that ended may wait for whoever adopted it to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
