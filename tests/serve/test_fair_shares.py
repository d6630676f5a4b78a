"""Batches that share exchangers, through a whole service in front of a slow host on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2

WORLD = """
name = "fair shares"

[[host]]
name = "mx.slow.test"
addresses = ["127.0.85.1"]
personality = "tarpit"
options = { delay_s = 0.02, interval_s = 0.0 }
domains = ["slow.test"]
mailboxes = { users = 5 }

[[host]]
name = "mx.mute.test"
addresses = ["127.0.85.2"]
personality = "silent"
domains = ["mute.test"]
"""


@pytest.fixture(name="client")
async def _client(tmp_path: Path) -> AsyncIterator[Client]:
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
            "unknown_user_limit": 0,
            "window_entries": 200,
            "session_recipients": 10,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            yield client


async def drafted(client: Client, batch_id: str, count: int, domain: str = "slow.test") -> None:
    """A batch with all of its entries."""
    await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id=batch_id))
    entries = [batch_pb2.Entry(input_data=f"{batch_id}{n}@{domain}") for n in range(count)]
    await client.upload(batch_id, entries)


async def launch(client: Client, batch_id: str) -> None:
    """Start it."""
    request = batch_service_pb2.LaunchBatchRequest(batch_id=batch_id)
    await client.call(client.batches.LaunchBatch, request)


async def looked_at(client: Client, batch_id: str, wait_s: int = 0) -> batch_pb2.Batch:
    """The batch, once it has ended or that time is over."""
    request = batch_service_pb2.GetBatchRequest(batch_id=batch_id)
    request.wait.FromSeconds(wait_s)
    answer: Any = await client.call(client.batches.GetBatch, request, timeout_s=90)
    batch: batch_pb2.Batch = answer.batch
    return batch


async def begun(client: Client, batch_id: str) -> None:
    """Return when a batch has its first results."""
    async for frame in client.watch(batch_id):
        if frame.progress.result_count or frame.batch.progress.result_count:
            return


async def test_a_small_batch_behind_a_large_one_starts_at_once(client: Client) -> None:
    """It is over before the large one is far, though that has more than is held at one time."""
    await drafted(client, "large", 2_000)
    await drafted(client, "small", 10)
    await launch(client, "large")
    await asyncio.wait_for(begun(client, "large"), 60)
    before = (await looked_at(client, "large")).progress.result_count
    await launch(client, "small")
    small = await looked_at(client, "small", wait_s=60)
    after = (await looked_at(client, "large")).progress.result_count

    assert batch_pb2.BATCH_STATE_COMPLETED == small.state
    assert after - before < 500


async def test_batches_of_equal_weight_finish_together(client: Client) -> None:
    """Also when the first one was held whole before the other came."""
    for name in ("first", "second"):
        await drafted(client, name, 180)
    await asyncio.gather(launch(client, "first"), launch(client, "second"))
    first = await looked_at(client, "first", wait_s=60)
    second = await looked_at(client, "second")

    assert batch_pb2.BATCH_STATE_COMPLETED == first.state
    assert 140 <= second.progress.result_count


async def test_a_small_batch_need_not_wait_for_a_slow_exchanger(client: Client) -> None:
    """Though all that may be held at one time waits for one that does not answer."""
    await drafted(client, "large", 300, "mute.test")
    await drafted(client, "small", 10, "slow.test")
    await launch(client, "large")
    async for frame in client.watch("large"):
        if frame.progress.active_count >= 200 or frame.batch.progress.active_count >= 200:
            break
    await launch(client, "small")
    small = await looked_at(client, "small", wait_s=60)
    large = await looked_at(client, "large")

    assert batch_pb2.BATCH_STATE_COMPLETED == small.state
    assert 0 == large.progress.result_count
