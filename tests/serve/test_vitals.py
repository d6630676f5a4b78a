"""What a process does about its own memory, and what it says of its loop."""

import itertools
import json
from pathlib import Path

import grpc
import pytest

from mailvet.client import Client, ServiceError
from mailvet.client.errors import from_rpc_error
from mailvet.errors import Unavailable
from mailvet.serve.vitals import Vitals, resident
from mailvet.store.hindrances import MEMORY_SHORT
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2
from tests.acceptance.house import ServerProcess
from tests.store.samples import Clock

WORLD = """
name = "small"

[[host]]
name = "mx.small.test"
addresses = ["127.0.94.1"]
domains = ["small.test"]
"""


class Engine:
    """Notes what it is asked for; a store that cannot be told raises."""

    def __init__(self) -> None:
        self.short: list[bool] = []
        self.said: list[tuple[str, bool]] = []
        self.mute = False

    def relieve(self, *, short: bool) -> None:
        self.short.append(short)

    async def note_hindrance(self, kind: str, detail: str | None) -> None:
        if self.mute:
            raise Unavailable("the store is locked")
        self.said.append((kind, detail is not None))


class Scales:
    """A process whose memory a test decides."""

    def __init__(self, limit_mib: float) -> None:
        self.have = 0.0
        self.engine = Engine()
        self.clock = Clock()
        self.vitals = Vitals(
            self.engine, limit_mib=limit_mib, resident_mib=lambda: self.have, clock=self.clock
        )

    async def weigh(self, have: float) -> bool:
        """Look once; whether memory is short then."""
        self.have = have
        await self.vitals.weigh()
        return self.vitals.short


async def test_memory_is_short_above_the_limit_until_it_is_well_below() -> None:
    """It is said once, and taken back once."""
    scales = Scales(100)
    assert [False, True, True, False] == [await scales.weigh(have) for have in (99, 101, 95, 89)]
    assert [True, True, False] == scales.engine.short
    assert [(MEMORY_SHORT, True), (MEMORY_SHORT, False)] == scales.engine.said


async def test_without_a_limit_nothing_is_weighed() -> None:
    """0 is no limit."""
    scales = Scales(0)
    assert not await scales.weigh(1e6)
    assert [] == scales.engine.short


async def test_a_store_that_cannot_be_told_is_told_at_the_next_look() -> None:
    """The work is held all the same."""
    scales = Scales(100)
    scales.engine.mute = True
    await scales.weigh(101)
    scales.engine.mute = False
    await scales.weigh(101)
    assert [True, True] == scales.engine.short
    assert [(MEMORY_SHORT, True)] == scales.engine.said


def test_a_loop_that_is_held_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Not for less than a quarter of a second, and not again within ten seconds."""
    scales = Scales(0)
    scales.vitals.woke(late_s=0.2)
    assert "" == capsys.readouterr().out
    for _ in range(3):
        scales.vitals.woke(late_s=0.4)
    scales.clock.advance(10)
    scales.vitals.woke(late_s=0.5)
    told = capsys.readouterr()
    assert 2 == (told.out + told.err).count("loop.held")


def test_this_process_knows_its_memory() -> None:
    """A Python process has some megabytes."""
    assert 5 < resident() < 50_000


async def _refusal(
    client: Client, create: batch_service_pb2.CreateBatchRequest
) -> tuple[int, ServiceError]:
    """Create batches until one is refused: the first look comes a second after the start."""
    for created in itertools.count():
        try:
            await client.batches.CreateBatch(create)
        except grpc.aio.AioRpcError as error:
            return created, from_rpc_error(error)
    raise AssertionError


async def test_a_service_that_is_short_of_memory_takes_on_nothing_new(tmp_path: Path) -> None:
    """New batches are refused with the reason and the way out; what is there can be read."""
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path, memory_limit_mib="1")
        await server.start()
        try:
            async with server.client() as client:
                create = batch_service_pb2.CreateBatchRequest(
                    entries=[batch_pb2.Entry(input_data="a@small.test")]
                )
                created, refused = await _refusal(client, create)
                assert grpc.StatusCode.UNAVAILABLE is refused.code
                assert MEMORY_SHORT == refused.metadata["hindrance"]
                assert "memory_limit_mib" in str(refused)
                every = batch_service_pb2.ListBatchesRequest(page_size=1000)
                assert created == len((await client.batches.ListBatches(every)).batches)
        finally:
            assert 0 == await server.stop()
    events = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    assert "store.hindered" in {event["event"] for event in events}
