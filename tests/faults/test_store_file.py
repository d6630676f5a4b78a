"""Damaged, old and restored files: refused with the way out, or right; never wrong rows."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.errors import StoreRefused, Unavailable
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_backup import back_up, restore
from mailvet.v1 import batch_service_pb2, result_service_pb2
from tests import validators
from tests.batches.engine import work
from tests.rpc.world import open_world, told
from tests.store.samples import (
    SPEC,
    TENANT,
    Clock,
    deferred,
    finish,
    launched,
    open_sqlite,
    settled,
)

SIZE = 400


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


async def _written(path: Path, clock: Clock) -> None:
    store = await open_sqlite(path, clock, chunk_size=64)
    await launched(store, SIZE)
    await finish(store)
    await store.close()


async def _rows_or_refusal(path: Path, clock: Clock) -> Any:
    """Every row that a caller can read, or the sentence with which the store refuses."""
    try:
        store = await open_sqlite(path, clock)
    except StoreRefused as refusal:
        return str(refusal)
    try:
        return (await store.results_after(TENANT, "b1", 0, limit=1_000)).rows
    except Unavailable as refusal:
        return str(refusal)
    finally:
        await store.close()


async def test_damaged_pages_are_refused_with_the_way_out(tmp_path: Path, clock: Clock) -> None:
    """Each page in turn is overwritten: the store is refused, or every row is right."""
    path = tmp_path / "store.db"
    await _written(path, clock)
    right = await _rows_or_refusal(path, clock)
    whole = path.read_bytes()
    refused = 0
    for page in range(len(whole) // 4096):
        damaged = bytearray(whole)
        damaged[page * 4096 : page * 4096 + 100] = b"\xa5" * 100
        path.write_bytes(damaged)
        found = await _rows_or_refusal(path, clock)
        if isinstance(found, str):
            refused += 1
            assert "restore a backup" in found or "another program" in found, found
        else:
            assert right == found, f"page {page} was damaged and wrong rows were served"
    assert refused > len(whole) // 4096 // 2


async def test_a_truncated_file_is_refused(tmp_path: Path, clock: Clock) -> None:
    """Half a file is no store."""
    path = tmp_path / "store.db"
    await _written(path, clock)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreRefused, match="restore a backup"):
        await open_sqlite(path, clock)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("flip", [False, True], ids=["cut", "flipped"])
async def test_a_damaged_log_loses_its_end_only(
    keep: float, flip: bool, tmp_path: Path, clock: Clock
) -> None:
    """What is read is a beginning of what was committed, in order, and the store works on."""
    store = await open_sqlite(tmp_path / "store.db", clock, chunk_size=16)
    await launched(store, SIZE)
    await finish(store, per_claim=16)
    right = (await store.results_after(TENANT, "b1", 0, limit=1_000)).rows
    folder = tmp_path / "after"
    folder.mkdir()
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"store.db{end}", folder)
    await store.close()
    log = folder / "store.db-wal"
    place = int(log.stat().st_size * keep)
    whole = bytearray(log.read_bytes())
    whole[place] ^= 0xFF
    log.write_bytes(whole if flip else whole[:place])
    opened = await open_sqlite(folder / "store.db", clock, chunk_size=16)
    listed = await opened.list_batches(TENANT)
    if listed:
        found = (await opened.results_after(TENANT, "b1", 0, limit=1_000)).rows
        assert right[: len(found)] == found
        await opened.plan_launched()
        await finish(opened)
        page = await opened.results_after(TENANT, "b1", 0, limit=1_000)
        assert list(range(SIZE)) == sorted(one.entry_index for one in page.rows)
    await opened.close()


async def test_old_cursors_are_refused_after_a_restore(tmp_path: Path) -> None:
    """A backup under load is one moment; after its restore, ABORTED, and reading anew works."""
    path, backup = tmp_path / "store.db", tmp_path / "backup.db"
    store = await SqliteStore.open(path, reserve_bytes=4096)
    async with open_world(store) as world:
        await world.create("b", 300, launch=True)
        working = asyncio.create_task(work(store, a_time=5))
        await asyncio.to_thread(back_up, path, backup)
        await working
        request = result_service_pb2.StreamResultsRequest(batch_id="b", max_results=50)
        frames = [one async for one in world.results.StreamResults(request)]
        validators.complete(frames, 300)
    await store.close()
    restore(backup, path)
    store = await SqliteStore.open(path, reserve_bytes=4096)
    async with open_world(store) as world:
        for frame in frames:
            old = result_service_pb2.StreamResultsRequest(batch_id="b", cursor=frame.cursor)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await world.results.StreamResults(old).read()
            assert ("ABORTED", "CURSOR_EPOCH_PASSED") == (
                told(caught.value).code,
                told(caught.value).info.reason,
            )
        await work(store)
        anew = result_service_pb2.StreamResultsRequest(batch_id="b")
        validators.complete([one async for one in world.results.StreamResults(anew)], 300)
        get = batch_service_pb2.GetBatchRequest(batch_id="b")
        assert validators.COMPLETED == (await world.batches.GetBatch(get)).batch.state
    await store.close()


@pytest.mark.parametrize("jump_s", [40 * 86_400.0, -3_600.0], ids=["+40d", "-1h"])
async def test_a_jump_of_the_wall_clock_loses_nothing(jump_s: float, tmp_path: Path) -> None:
    """Leases have a clock of their own; what waits comes at once, or an hour later, but comes."""
    wall, lease = Clock(), Clock(5.0)
    store = await SqliteStore.open(
        tmp_path / "store.db", clock=wall, lease_clock=lease, chunk_size=4, reserve_bytes=4096
    )
    await launched(store, 8)
    held, waiting = await store.claim("w", max_entries=8)
    indexes = [one.entry_index for one in waiting.entries]
    await store.settle([deferred(waiting, indexes, wall.now + 60)])
    wall.advance(jump_s)
    assert 0 == await store.reap()
    assert [True] == await store.settle([settled(held)])
    run_at = await store.next_run_at()
    assert run_at is not None
    wall.now = max(wall.now, run_at)
    await finish(store)
    page = await store.results_after(TENANT, "b1", 0, limit=100)
    assert list(range(8)) == sorted(one.entry_index for one in page.rows)
    batch, progress = await store.progress(TENANT, "b1")
    assert (8, SPEC.name) == (progress.result_count, batch.spec.name)
    await store.close()
