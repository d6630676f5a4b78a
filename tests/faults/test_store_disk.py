"""A disk that is really full, a file that another program locks, and the way back from both."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from mailvet.client import connect
from mailvet.config import load
from mailvet.errors import Unavailable
from mailvet.serve.run import Service
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_space import RESERVE_BYTES
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests import validators
from tests.faults.lag import Lag
from tests.rpc.world import told
from tests.store.samples import SPEC, TENANT, Clock, entries, entry, open_sqlite

DISK_MIB = 64
"""Room for the write-ahead log at its longest, and for a batch worth deleting."""
VICTIMS = 20_000
"""Entries of some 500 bytes each: more than the reserve and its trial."""
MAX_LAG_S = 0.25
"""How long the event loop may stand still: many times less than the lock is held."""

LOCKER = """
import sys, time
from mailvet.store.sqlite_file import driver
connection = driver.connect(sys.argv[1], isolation_level=None)
sys.stdin.readline()
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="disk")
def _disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with few megabytes. Only root can make one: for others these tests
    end early, and those of `sqlite_file`, where a limit of pages stands in, have to do."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mounting, check=False).returncode == 0
    yield folder
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _is_small(disk: Path) -> bool:
    return os.statvfs(disk).f_blocks * os.statvfs(disk).f_frsize <= DISK_MIB << 20


@contextlib.contextmanager
def _filled_up(disk: Path) -> Iterator[None]:
    """Something else takes all space that is left, also what is freed a little later."""
    filler = disk / "something-else"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))
    yield
    filler.unlink()


async def _victim(store: SqliteStore) -> None:
    some = [entry(f"user{n}", custom="x" * 500) for n in range(1_000)]
    await store.create_batch(TENANT, "victim", SPEC)
    for offset in range(0, VICTIMS, len(some)):
        await store.append_entries(TENANT, "victim", offset, some)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_a_full_disk_can_be_emptied_by_deleting(disk: Path, clock: Clock) -> None:
    """Writes are refused, reads go on, a delete works and gives its space back to all."""
    if not _is_small(disk):
        return
    store = await open_sqlite(disk / "store.db", clock, reserve_bytes=RESERVE_BYTES)
    await _victim(store)
    await store.create_batch(TENANT, "kept", SPEC)
    with _filled_up(disk), capture_logs() as logs:
        kept, refusal = 0, None
        while refusal is None:
            try:
                kept = await store.append_entries(TENANT, "kept", kept, entries(500))
            except Unavailable as error:
                refusal = error
        assert "disk is full; free some space or delete" in str(refusal)
        assert ("DISK_FULL", "DISK_FULL") == (
            refusal.hindrance,
            refusal.metadata["hindrance"],
        )
        assert ["DISK_FULL"] == [kind for kind, _ in await store.hindrances()]
        assert kept == (await store.get_batch(TENANT, "kept")).entry_count
        assert VICTIMS == await store.delete_batch(TENANT, "victim", force=False)
        assert kept + 500 == await store.append_entries(TENANT, "kept", kept, entries(500))
        assert [] == await store.hindrances()
    assert ["store.hindered", "store.recovered"] == [line["event"] for line in logs]
    await store.close()


async def test_a_full_disk_recovers_by_itself(disk: Path, clock: Clock) -> None:
    """Somebody else frees the space: within a second or two writes go on, nothing is lost."""
    if not _is_small(disk):
        return
    store = await open_sqlite(disk / "store.db", clock, reserve_bytes=RESERVE_BYTES)
    await store.create_batch(TENANT, "b1", SPEC)
    kept = 0
    with _filled_up(disk), contextlib.suppress(Unavailable):
        while True:
            kept = await store.append_entries(TENANT, "b1", kept, entries(500))

    async def recovered() -> bool:
        return not await store.hindrances()

    await _until(recovered)
    assert kept + 500 == await store.append_entries(TENANT, "b1", kept, entries(500))
    await store.close()


async def test_a_store_opens_on_a_full_disk(disk: Path, clock: Clock) -> None:
    """It says so, reads, deletes, and has its reserve again afterwards."""
    if not _is_small(disk):
        return
    path = disk / "store.db"
    store = await open_sqlite(path, clock, reserve_bytes=RESERVE_BYTES)
    await _victim(store)
    await store.close()
    with _filled_up(disk):
        filler = disk / "something-else"
        os.truncate(filler, filler.stat().st_size - RESERVE_BYTES + 2 * 1024 * 1024)
        store = await open_sqlite(path, clock, reserve_bytes=RESERVE_BYTES)
        assert ["DISK_FULL"] == [kind for kind, _ in await store.hindrances()]
        assert VICTIMS == (await store.get_batch(TENANT, "victim")).entry_count
        with pytest.raises(Unavailable, match="disk is full"):
            await store.create_batch(TENANT, "more", SPEC)
        await store.delete_batch(TENANT, "victim", force=False)

        async def recovered() -> bool:
            return not await store.hindrances()

        await _until(recovered)
        size = path.with_name("store.db.reserve").stat().st_size
        assert RESERVE_BYTES == size
        await store.close()


@contextlib.asynccontextmanager
async def _service(folder: Path) -> AsyncIterator[tuple[Service, Any]]:
    settings = load(
        {"listen": f"unix:{folder}/socket", "store": str(folder / "store.db")}
        | {"resolver": "127.0.0.1:9", "egress_canaries": "", "drain_grace_s": 1}
    )
    async with Service(settings) as service, connect(service.address) as client:
        yield service, client


def _create(batch_id: str, count: int, *, launch: bool = True) -> Any:
    made = [batch_pb2.Entry(input_data=f"no-at-sign-{n}", custom="x" * 500) for n in range(count)]
    return batch_service_pb2.CreateBatchRequest(batch_id=batch_id, entries=made, launch=launch)


async def _is_serving(service: Service) -> bool:
    async with grpc.aio.insecure_channel(service.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service="mailvet.engine"))
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def test_a_service_pauses_and_goes_on(disk: Path) -> None:
    """RPC, progress and health say it; the batch that ran goes on and ends complete."""
    if not _is_small(disk):
        return
    async with _service(disk) as (service, client):
        assert service._store is not None
        await client.call(client.batches.CreateBatch, _create("b", 900))
        with _filled_up(disk):  # before the engine has had its turn
            refusal = None
            while refusal is None:
                try:
                    await client.batches.CreateBatch(_create("", 900))
                except grpc.aio.AioRpcError as error:
                    refusal = told(error)
            assert ("UNAVAILABLE", "UNAVAILABLE") == (refusal.code, refusal.info.reason)
            assert "DISK_FULL" == refusal.info.metadata["hindrance"]

            async def unhealthy() -> bool:
                return not await _is_serving(service)

            await _until(unhealthy)
            listed = await client.call(
                client.batches.ListBatches, batch_service_pb2.ListBatchesRequest()
            )
            assert listed.batches
        await _until(lambda: _is_serving(service))
        for batch in listed.batches:
            request = result_service_pb2.StreamResultsRequest(batch_id=batch.batch_id)
            async with asyncio.timeout(30):
                frames = [one async for one in client.results.StreamResults(request)]
            validators.complete(frames, 900)


async def test_a_locked_store_stalls_nobody(tmp_path: Path, clock: Clock) -> None:
    """Another process holds the file for seconds: reads and the loop go on, writes wait or are
    refused together, and all is well when it lets go."""
    store = await open_sqlite(tmp_path / "store.db", clock)
    await store.create_batch(TENANT, "b1", SPEC)
    await store._file.write(lambda t: t.connection.execute("PRAGMA busy_timeout = 700").fetchall())
    locker = subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(tmp_path / "store.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert locker.stdin is not None
    assert locker.stdout is not None
    locker.stdin.write(b"\n")
    locker.stdin.flush()
    assert b"locked\n" == await asyncio.to_thread(locker.stdout.readline)
    began = time.monotonic()
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    writes = [store.append_entries(TENANT, "b1", None, entries(1)) for _ in range(20)]
    refused = asyncio.gather(*writes, return_exceptions=True)
    while not refused.done():
        assert 0 == (await store.get_batch(TENANT, "b1")).entry_count
        await asyncio.sleep(0.01)
    took_s = time.monotonic() - began
    assert {"STORE_LOCKED"} == {getattr(one, "hindrance", one) for one in refused.result()}
    assert ["STORE_LOCKED"] == [kind for kind, _ in await store.hindrances()]
    assert took_s < 5, "twenty callers waited one after another"
    waiting = asyncio.create_task(store.append_entries(TENANT, "b1", None, entries(1)))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(locker.communicate, b"\n")
    assert 1 == await waiting

    async def recovered() -> bool:
        return not await store.hindrances()

    await _until(recovered)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert lag.worst_s < MAX_LAG_S
    await store.close()


async def test_an_engine_waits_out_a_locked_store(tmp_path: Path) -> None:
    """A service whose store is locked under a running batch ends it complete."""
    async with _service(tmp_path) as (service, client):
        assert isinstance(service._store, SqliteStore)
        await service._store._file.write(
            lambda t: t.connection.execute("PRAGMA busy_timeout = 100").fetchall()
        )
        locker = subprocess.Popen(
            [sys.executable, "-c", LOCKER, str(tmp_path / "store.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert locker.stdin is not None
        assert locker.stdout is not None
        await client.call(client.batches.CreateBatch, _create("b", 900))
        locker.stdin.write(b"\n")
        locker.stdin.flush()
        await asyncio.to_thread(locker.stdout.readline)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(locker.communicate, b"\n")
        request = result_service_pb2.StreamResultsRequest(batch_id="b")
        async with asyncio.timeout(20):
            frames = [one async for one in client.results.StreamResults(request)]
        validators.complete(frames, 900)
