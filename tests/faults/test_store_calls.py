"""The N-th store call fails, for every N, under a whole batch through server and engine."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.config import load
from mailvet.engine.rhythm import Rhythm
from mailvet.lists import Lists
from mailvet.lists.membership import DomainList
from mailvet.rpc.plain_forms import PlainForms
from mailvet.serve.engine_room import EngineRoom
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2, status_pb2
from tests import validators
from tests.faults.faulty import FaultyStore, When
from tests.rpc.world import World, open_world, told

RHYTHM = Rhythm(heartbeat_s=0.02, settle_every_s=0.001, idle_s=0.05, retry_s=0.005)
LEASE_SPEED = 100
"""Leases run out after 0.3 s instead of 30: some faults are only mended by that."""
ENTRIES = [f"no-at-sign-{n}" for n in range(9)] + ["user@refused.test", "USER@refused.test"]
"""Decided offline; the last two, one a duplicate, wait for second and third tries of DNS."""
METHODS = (
    *("create_batch", "append_entries", "launch_batch", "delete_batch", "get_batch", "progress"),
    *("joined_after", "changed", "plan_launched", "claim", "settle", "heartbeat", "reap"),
    *("next_run_at", "work_signal", "hindrances"),
)
"""All that the life of a batch may call."""
MOST_CALLS = 12
"""Of one method: those that a loop makes all the time would never end."""


@dataclass
class Scene:
    """A service whose store fails, and what its callers were told."""

    store: FaultyStore
    world: World
    room: EngineRoom
    told: Counter[str] = field(default_factory=Counter)

    async def insist(self, call: Callable[[], Awaitable[Any]], *, gone: bool = False) -> Any:
        """Call again until the answer is not UNAVAILABLE, as clients do.

        With `gone` the batch may be gone: the answer of an earlier delete was lost.
        """
        refused = False
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if gone and refused and error.code() is grpc.StatusCode.NOT_FOUND:
                    return None
                self.note(error)
                refused = True
                await asyncio.sleep(0.001)

    def note(self, error: grpc.aio.AioRpcError) -> None:
        """Only what the error table has for a store that cannot work now may come."""
        assert error.code() is grpc.StatusCode.UNAVAILABLE, error
        assert "RetryInfo" in told(error).details
        self.told[told(error).info.reason] += 1


@asynccontextmanager
async def _scene(kind: str, folder: Path) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        settings = load(
            {"resolver": "127.0.0.1:9", "egress_canaries": "", "retry_scale": 1e-6}
            | {"dns_timeout_s": 0.05}
        )
        real: Any = await _store(kind, folder)
        stack.push_async_callback(real.close)
        store: Any = FaultyStore(real)
        room = EngineRoom(settings, store, PlainForms(), RHYTHM)
        room.start()
        world = await stack.enter_async_context(open_world(store, verifier=room.realtime))
        working = asyncio.create_task(room.worker.run())
        try:
            yield Scene(store, world, room)
        finally:
            store.disarm()
            room.worker.stop_claiming()
            await room.close(0)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _store(kind: str, folder: Path) -> MemoryStore | SqliteStore:
    def lease_clock() -> float:
        return time.monotonic() * LEASE_SPEED

    if kind == "memory":
        return MemoryStore(lease_clock=lease_clock, chunk_size=4)
    return await SqliteStore.open(folder / "store.db", lease_clock=lease_clock, chunk_size=4)


async def _batch(scene: Scene, batch_id: str) -> None:
    """The life of a batch from creation to deletion, checked by what its caller sees."""
    batches = scene.world.batches
    entries = [batch_pb2.Entry(input_data=text) for text in ENTRIES]
    create = batch_service_pb2.CreateBatchRequest(
        batch_id=batch_id,
        request_id=batch_id,
        entries=entries[:5],
        quality=status_pb2.QUALITY_LEVEL_HIGH,
    )
    add = batch_service_pb2.AddEntriesRequest(batch_id=batch_id, offset=5, entries=entries[5:])
    launch = batch_service_pb2.LaunchBatchRequest(batch_id=batch_id)
    delete = batch_service_pb2.DeleteBatchRequest(batch_id=batch_id)
    get = batch_service_pb2.GetBatchRequest(batch_id=batch_id)
    await scene.insist(lambda: batches.CreateBatch(create))
    await scene.insist(lambda: batches.AddEntries(add))
    await scene.insist(lambda: batches.LaunchBatch(launch))
    frames = await _streamed(scene, batch_id)
    validators.complete(frames, len(ENTRIES))
    validators.ordered(frames, await _streamed(scene, batch_id))
    standing = await scene.insist(lambda: batches.GetBatch(get))
    assert validators.COMPLETED == standing.batch.state
    assert len(ENTRIES) == standing.batch.progress.result_count
    await scene.insist(lambda: batches.DeleteBatch(delete), gone=True)


async def _streamed(scene: Scene, batch_id: str) -> list[validators.Frame]:
    """Read to the end, resumed with the last cursor whenever it breaks."""
    frames: list[validators.Frame] = []
    while not (frames and frames[-1].done):
        request = result_service_pb2.StreamResultsRequest(
            batch_id=batch_id, cursor=frames[-1].cursor if frames else "", max_results=3
        )
        try:
            frames += [one async for one in scene.world.results.StreamResults(request)]
        except grpc.aio.AioRpcError as error:
            scene.note(error)
    return frames


async def _fail(scene: Scene, method: str, when: When, numbers: range) -> int:
    """A batch for each number, until none is left to fail; returns how many failed."""
    for number in numbers:
        scene.store.arm(method, number, when)
        async with asyncio.timeout(20):
            await _batch(scene, f"{method}-{number}".replace("_", "-"))
        if not scene.store.failed:
            return number - numbers.start
    return len(numbers)


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_the_first_call_of_every_method_fails(kind: str, when: When, tmp_path: Path) -> None:
    """Callers are told UNAVAILABLE at most; all is retried, nothing is lost or doubled."""
    async with _scene(kind, tmp_path) as scene:
        failed = {name: await _fail(scene, name, when, range(1, 2)) for name in METHODS}
        # Some wait for time to pass, which a short batch does not take.
        assert set(METHODS) - {"changed", "heartbeat", "reap"} <= {n for n in failed if failed[n]}
        assert {"UNAVAILABLE"} == set(scene.told)


@pytest.mark.slow
@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_every_call_of_every_method_fails(kind: str, when: When, tmp_path: Path) -> None:
    """The same for the second, the third, and every other call of a batch's life."""
    async with _scene(kind, tmp_path) as scene:
        for name in METHODS:
            await _fail(scene, name, when, range(2, MOST_CALLS))
        assert {"UNAVAILABLE"} == set(scene.told)


def _poison(lists: Lists) -> None:
    """Let the engine stumble at one domain: it is on a list of a kind that nothing is made of."""
    poison = DomainList("poison", "made up", "none", "", frozenset({"poison.test"}))
    lists.domain_lists = (*lists.domain_lists, poison)


async def test_a_poisoned_entry_spoils_only_itself(tmp_path: Path) -> None:
    """It ends UNKNOWN as our fault; its neighbours in the same chunk get their answers."""
    async with _scene("sqlite", tmp_path) as scene:
        _poison(scene.room.lists_watch.lists)
        texts = ["no-at-sign", "user@poison.test", "user@refused.test"]
        entries = [batch_pb2.Entry(input_data=text) for text in texts]
        create = batch_service_pb2.CreateBatchRequest(batch_id="b", entries=entries, launch=True)
        await scene.world.batches.CreateBatch(create)
        frames = await _streamed(scene, "b")
        validators.complete(frames, len(texts))
        found = {result.index: result for frame in frames for result in frame.results}
        assert status_pb2.ENTRY_STATUS_UNHANDLED_EXCEPTION == found[1].status
        assert status_pb2.CLASSIFICATION_UNKNOWN == found[1].classification
        assert status_pb2.ENTRY_STATUS_AT_SIGN_NOT_FOUND == found[0].status
        assert status_pb2.ENTRY_STATUS_UNHANDLED_EXCEPTION != found[2].status
