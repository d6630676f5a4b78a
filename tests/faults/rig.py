"""A whole service in this process, and what is left of it after a fault."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailvet.client import Client
from mailvet.config import load
from mailvet.model.status import EntryStatus
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests import validators


@asynccontextmanager
async def service_before(bed: Testbed, folder: Path, **more: Any) -> AsyncIterator[Service]:
    """Yield a service in front of a mail internet."""
    settings = {
        "listen": "127.0.0.1:0",
        "store": str(folder / "store.db"),
        "resolver": bed.resolver,
        "smtp_port": bed.smtp_port,
        "allow_network": bed.allow_networks,
        "helo": "server.mailvet.test",
        "time_scale": 0.05,
        "dns_timeout_s": 1,
        "egress_canaries": "",
        "drain_grace_s": 1,
    }
    async with Service(load(settings | more)) as service:
        yield service


async def verify(client: Client, batch_id: str, addresses: Iterable[str]) -> list[EntryStatus]:
    """Verify addresses in a batch, and hold that each is answered once; return the statuses."""
    await client.create_batch(
        batch_service_pb2.CreateBatchRequest(
            batch_id=batch_id, deduplication=batch_pb2.DEDUPLICATION_OFF
        )
    )
    entries = (batch_pb2.Entry(input_data=address) for address in addresses)
    batch = await client.upload(batch_id, entries, launch=True)
    request = result_service_pb2.StreamResultsRequest(batch_id=batch_id, max_results=100)
    frames = [frame async for frame in client.stream_results(request)]
    validators.complete(frames, batch.entry_count)
    found = {one.index: EntryStatus(one.status) for frame in frames for one in frame.results}
    return [found[index] for index in range(batch.entry_count)]


async def task_count(most: float | None = None) -> int:
    """How many tasks there are once what has ended is gone: when they are `most`, or after 5 s."""
    turns = 20 if most is None else 500
    for _ in range(turns):
        await asyncio.sleep(0.01)
        if most is not None and len(asyncio.all_tasks()) <= most:
            break
    return len(asyncio.all_tasks())
