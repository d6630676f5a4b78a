"""A probing process that stands still longer than its leases, and then goes on."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from mailvet.model.status import EntryStatus
from mailvet.store.sqlite import LEASE_S
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests import validators
from tests.acceptance.house import ServerProcess

WORLD = """
name = "probers"

[[host]]
name = "mx.probers.test"
addresses = ["127.0.99.1"]
personality = "tarpit"
options = { delay_s = 0.02, interval_s = 0 }
domains = ["d{0..39}.probers.test"]
mailboxes = { users = 50 }
"""
ENTRIES = 1200
MIDWAY = ENTRIES // 6


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_a_process_that_stands_still_is_taken_over_and_comes_too_late(tmp_path: Path) -> None:
    """SIGSTOP for longer than a lease: others finish its work; what it says when it goes on
    changes nothing, and each entry has one result."""
    async with Testbed(parse_world(WORLD), recorded_sessions=0) as bed:
        server = ServerProcess(
            bed, tmp_path, processes="2", session_recipients="5", window_entries="100"
        )
        await server.start()
        stopped = server.children()[0]
        try:
            async with server.client() as client:
                create = batch_service_pb2.CreateBatchRequest(batch_id="b")
                await client.create_batch(create)
                texts = [f"user{n // 40}@d{n % 40}.probers.test" for n in range(ENTRIES)]
                entries = (batch_pb2.Entry(input_data=text) for text in texts)
                await client.upload("b", entries, launch=True)
                request = result_service_pb2.StreamResultsRequest(batch_id="b", max_results=20)
                frames: list[validators.Frame] = []
                async with asyncio.timeout(4 * LEASE_S):
                    async for frame in client.stream_results(request):
                        before = len(validators.indexes(frames))
                        frames.append(frame)
                        if before < MIDWAY <= len(validators.indexes(frames)):
                            os.kill(stopped, signal.SIGSTOP)
                os.kill(stopped, signal.SIGCONT)
                await asyncio.sleep(1)  # it says now what it knows, too late
                again = [frame async for frame in client.stream_results(request)]
            validators.complete(frames, ENTRIES)
            validators.ordered(frames, again)
            validators.complete(again, ENTRIES)
            found = {one.status for frame in frames for one in frame.results}
            assert {EntryStatus.SUCCESS.value} == found
        finally:
            os.kill(stopped, signal.SIGCONT)
            await server.kill()
