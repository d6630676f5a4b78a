"""An exchanger that asks for less, as those see it who watch the batch that waits for it."""

import asyncio
from pathlib import Path
from typing import Any

from mailvet.client import connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2

WORLD = """
name = "throttling"

[[host]]
name = "mx.hurried.test"
addresses = ["127.0.96.1"]
personality = "rate_limits"
options = { connections = 1, window_s = 60 }
domains = ["hurried.test"]
mailboxes = { users = 60 }
"""


async def test_who_is_waited_for_is_told(tmp_path: Path) -> None:
    """By name, with how long and for how many."""
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": ":memory:",
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "session_recipients": 1,
            "drain_grace_s": 1,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            entries = [batch_pb2.Entry(input_data=f"user{n}@hurried.test") for n in range(20)]
            await client.create_batch(
                batch_service_pb2.CreateBatchRequest(batch_id="b", entries=entries, launch=True)
            )
            while True:
                request = batch_service_pb2.GetBatchRequest(batch_id="b")
                answer: Any = await client.call(client.batches.GetBatch, request)
                told = {one.kind: one.detail for one in answer.batch.progress.hindrances}
                if "THROTTLED" in told:
                    break
                assert not answer.batch.HasField("end_time")
                await asyncio.sleep(0.05)
    assert told["THROTTLED"].startswith("exchangers asked for less: mx.hurried.test (within ")
