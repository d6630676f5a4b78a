"""What a crash may not take: `kill -9` in the middle of a batch."""

from collections import Counter
from pathlib import Path

import pytest

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess

ENTRIES = 2000
KILLS = (150, 700, 1300)
"""Results read when the server is killed."""

WORLD = """
name = "crash"

[[host]]
name = "mx.crash.test"
addresses = ["127.0.77.1"]
domains = ["d{0..39}.crash.test"]
mailboxes = { users = 50 }
"""


@pytest.mark.timeout(100)
async def test_every_entry_has_one_result_after_kill_9(tmp_path: Path) -> None:
    """A batch survives `kill -9`: one result an entry, and the resumed stream has no gap."""
    addresses = [f"user{n % 50}@d{n // 50}.crash.test" for n in range(ENTRIES)]
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path, session_recipients="5", route_sessions="4")
        await server.start()
        try:
            async with server.client() as client:
                await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="crash"))
                entries = (batch_pb2.Entry(input_data=address) for address in addresses)
                await client.upload("crash", entries, launch=True)
            seen, cursor = Counter[int](), ""
            for limit in (*KILLS, ENTRIES):
                cursor = await _read_until(server, limit, seen, cursor)
                if limit < ENTRIES:
                    await server.kill()
                    await server.start()
            assert set(range(ENTRIES)) == set(seen)
            assert {1} == set(seen.values())
        finally:
            await server.kill()


async def _read_until(server: ServerProcess, limit: int, seen: Counter[int], cursor: str) -> str:
    """Read small frames until `limit` results were seen or the batch is done."""
    request = result_service_pb2.StreamResultsRequest(
        batch_id="crash", cursor=cursor, max_results=20
    )
    async with server.client() as client:
        call = client.results.StreamResults(request)
        async for frame in call:
            seen.update(result.index for result in frame.results)
            cursor = frame.cursor
            if frame.done or (seen.total() >= limit and limit < ENTRIES):
                break
        call.cancel()
    return cursor
