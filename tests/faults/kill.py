"""One life of a batch on a server that dies at a failpoint, from its creation to its deletion.

`live(place, seed, folder)` raises `AssertionError` when something is lost, doubled or left over.
The seed decides at which passage the server dies, and how often.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import grpc

from mailvet import failpoints
from mailvet.client import Client, ServiceError
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_pb2, result_service_pb2
from tests import validators
from tests.acceptance.house import ServerProcess

WORLD = """
name = "kill"

[[host]]
name = "mx.kill.test"
addresses = ["127.0.90.1"]
domains = ["d{0..29}.kill.test"]
mailboxes = { users = 20 }
"""
ENTRIES, DIFFERENT = 2600, 240
"""Three frames of an upload; most are duplicates, which are cheap to answer."""
MARK = "kept-nowhere-after-delete"
PASSAGES = {"append.committed": 2, "visit.ended": 10, "settle.begun": 3, "settle.committed": 3}
PASSAGES |= {"commit.begun": 12, "claim.begun": 2, "claim.committed": 2}
"""At which passage the server may die; at the first where it is not said."""
PATIENCE_S = 60.0


class Mortal:
    """A server that is started again whenever it has died."""

    def __init__(self, server: ServerProcess, deaths: list[str]) -> None:
        self._server = server
        self._deaths = deaths
        self.died = 0

    async def live(self) -> None:
        """Live and die until cancelled."""
        while True:
            await self._start()
            assert self._server.process is not None
            await self._server.process.wait()
            self.died += 1

    async def _start(self) -> None:
        while self._deaths:
            environment = {failpoints.VARIABLE: self._deaths.pop(0), failpoints.ENABLE: "1"}
            try:
                await self._server.start(environment)
            except AssertionError:  # dead before it answered: with work in the store it may be
                self.died += 1
            else:
                return
        await self._server.start()


async def live(place: str, seed: int, folder: Path) -> int:
    """Live through one history; return how often the server died."""
    dice = random.Random(f"{place} {seed}")
    most = PASSAGES.get(place, 1)
    deaths = [f"{place}:kill:{dice.randint(1, most)}" for _ in range(dice.randint(1, 2))]
    async with Testbed(parse_world(WORLD), recorded_sessions=0) as bed:
        server = ServerProcess(
            bed, folder, session_recipients="10", route_sessions="4", window_entries="500"
        )
        mortal = Mortal(server, deaths)
        living = asyncio.create_task(mortal.live())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await _batch(server, living)
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            await server.kill()
        _nothing_is_left(server.store)
    return mortal.died


async def _batch(server: ServerProcess, living: "asyncio.Task[None]") -> None:
    async with server.client() as client:
        work = asyncio.ensure_future(_work(client))
        await asyncio.wait((work, living), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            living.result()
        await work


async def _work(client: Client) -> None:
    await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="b", request_id="once"))
    acked: list[int] = []
    batch = await client.upload("b", _entries(), launch=True, acked=acked.append)
    assert sorted(acked) == acked, f"an ack was taken back: {acked}"
    assert ENTRIES == batch.entry_count
    await _read_all(client)
    await _delete(client)


def _entries() -> Iterator[batch_pb2.Entry]:
    for number in range(ENTRIES):
        who = number % DIFFERENT
        address = f"user{who % 20}@d{who // 20}.kill.test"
        yield batch_pb2.Entry(input_data=address, custom=f"{MARK} {number}")


async def _read_all(client: Client) -> None:
    request = result_service_pb2.StreamResultsRequest(batch_id="b", max_results=200)
    frames = [frame async for frame in client.stream_results(request)]
    validators.complete(frames, ENTRIES)
    for frame in frames:
        for result in frame.results:
            _check(result)


def _check(result: result_pb2.Result) -> None:
    assert f"{MARK} {result.index}" == result.custom, "an entry changed its place"
    if result.index >= DIFFERENT:
        assert result.index % DIFFERENT == result.duplicate_of


async def _delete(client: Client) -> None:
    # NOT_FOUND is what a repeated delete is told whose first answer was lost.
    request = batch_service_pb2.DeleteBatchRequest(batch_id="b")
    try:
        await client.call(client.batches.DeleteBatch, request)
    except ServiceError as error:
        if error.code is not grpc.StatusCode.NOT_FOUND:
            raise
    with contextlib.suppress(ServiceError):
        await client.call(client.batches.GetBatch, batch_service_pb2.GetBatchRequest(batch_id="b"))
        raise AssertionError("a deleted batch is still there")


def _nothing_is_left(store: Path) -> None:
    for path in store.parent.glob(f"{store.name}*"):
        assert MARK.encode() not in path.read_bytes(), f"{path.name} keeps what was deleted"
