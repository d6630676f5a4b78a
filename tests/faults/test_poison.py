"""An entry over which the process itself dies, every time."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from mailvet import failpoints
from mailvet.client import Client
from mailvet.store.suspects import SUSPECT
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_service_pb2, result_service_pb2, status_pb2
from tests import validators
from tests.acceptance.house import ServerProcess

WORLD = """
name = "poison"

[[host]]
name = "mx.poison.test"
addresses = ["127.0.98.1"]
domains = ["poison.test"]
mailboxes = { users = 1 }
"""
TEXTS = ["no-at-sign", "user0@poison.test", "user@nowhere.poison.test"]
DEADLY = {failpoints.VARIABLE: "visit.ended:kill", failpoints.ENABLE: "1"}
"""Whoever asks an exchanger dies; of the texts one has an exchanger."""


@pytest.mark.timeout(120)
async def test_an_entry_that_kills_the_process_is_given_up(tmp_path: Path) -> None:
    """Started again and again, the service ends the batch: that entry is our fault, the others
    have their answers."""
    async with Testbed(parse_world(WORLD), recorded_sessions=0) as bed:
        server = ServerProcess(bed, tmp_path)
        await server.start()
        async with server.client() as client:
            create = batch_service_pb2.CreateBatchRequest(batch_id="b")
            for text in TEXTS:
                create.entries.add(input_data=text)
            await client.create_batch(create)
            await server.stop()

            await server.start(DEADLY)
            await client.batches.LaunchBatch(batch_service_pb2.LaunchBatchRequest(batch_id="b"))
            deaths = 0
            reading = asyncio.ensure_future(_results(client))
            while not await _ends_first(reading, server):
                deaths += 1
                with contextlib.suppress(AssertionError):  # dead before it answered
                    await server.start(DEADLY)
            frames = await reading
        await server.stop()

    validators.complete(frames, len(TEXTS))
    found = {result.index: result.status for frame in frames for result in frame.results}
    assert status_pb2.ENTRY_STATUS_AT_SIGN_NOT_FOUND == found[0]
    assert status_pb2.ENTRY_STATUS_UNHANDLED_EXCEPTION == found[1]
    assert status_pb2.ENTRY_STATUS_UNHANDLED_EXCEPTION != found[2]
    assert SUSPECT + 1 == deaths


async def _results(client: Client) -> list[validators.Frame]:
    request = result_service_pb2.StreamResultsRequest(batch_id="b")
    return [frame async for frame in client.stream_results(request)]


async def _ends_first(
    reading: "asyncio.Future[list[validators.Frame]]", server: ServerProcess
) -> bool:
    """Whether all results are read before the server dies."""
    assert server.process is not None
    dying = asyncio.ensure_future(server.process.wait())
    await asyncio.wait((reading, dying), return_when=asyncio.FIRST_COMPLETED)
    dying.cancel()
    return reading.done()
