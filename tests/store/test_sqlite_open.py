"""What a store finds when it is opened again: after a close, after a crash, after kill -9."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from mailvet.model.access import ApiKey
from mailvet.model.batch import BatchSpec
from mailvet.model.status import BatchState
from mailvet.store import sqlite_results
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import (
    SPEC,
    TENANT,
    Clock,
    deferred,
    entries,
    finish,
    indexes_of,
    launched,
    open_sqlite,
    row,
    settled,
)


async def crash(store: SqliteStore, folder: Path, clock: Clock) -> SqliteStore:
    """Open the files as they are on disk now, as if the process had ended here."""
    copy = folder / f"crash{len(list(folder.iterdir()))}"
    copy.mkdir()
    for path in folder.glob("store.db*"):
        shutil.copy(path, copy)
    return await open_sqlite(copy / "store.db", clock)


async def test_a_restart_loses_no_work_and_no_wait(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """What was held is ready at once, under a new fence; what waits keeps its time."""
    await launched(sqlite, 12)
    first, second, third = await sqlite.claim("w", max_entries=12)
    await sqlite.settle([settled(first), deferred(second, indexes_of([second]), clock.now + 60)])
    reopened = await crash(sqlite, tmp_path, clock)
    (again,) = await reopened.claim("w", max_entries=12)
    assert third.entries == again.entries
    assert [False, True] == await reopened.settle([settled(third), settled(again)])
    assert clock.now + 60 == await reopened.next_run_at()
    clock.advance(60)
    await finish(reopened)
    page = await reopened.results_after(TENANT, "b1", 0, limit=100)
    assert list(range(12)) == sorted(result.entry_index for result in page.rows)
    assert BatchState.COMPLETED == page.state
    await reopened.close()


async def test_everything_said_is_there_after_a_close(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """Batches, results, keys, the secret and the epoch; a hindrance is found out anew."""
    await launched(sqlite, 5)
    await finish(sqlite)
    await sqlite.add_key(ApiKey("k", TENANT, "", b"d", 1.0))
    await sqlite.note_hindrance("port", "closed")
    before = await sqlite.progress(TENANT, "b1")
    page = await sqlite.results_after(TENANT, "b1", 0, limit=10)
    identity = (sqlite.epoch, sqlite.secret)
    await sqlite.close()
    reopened = await open_sqlite(tmp_path / "store.db", clock)
    assert before == await reopened.progress(TENANT, "b1")
    assert page == await reopened.results_after(TENANT, "b1", 0, limit=10)
    assert identity == (reopened.epoch, reopened.secret)
    assert await reopened.find_key("k")
    assert [] == await reopened.hindrances()
    await reopened.close()


async def test_a_plan_that_was_not_committed_is_made_again(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """The batch was launched, and the process ended before its chunks were kept."""
    await sqlite.create_batch(TENANT, "b1", SPEC, entries(9), launch=True)
    reopened = await crash(sqlite, tmp_path, clock)
    assert 1 == await reopened.plan_launched()
    assert list(range(9)) == sorted(indexes_of(await reopened.claim("w", max_entries=100)))
    await reopened.close()


async def test_fairness_goes_on_where_it_was(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """A batch that comes after the restart does not overtake what was queued long before."""
    await launched(sqlite, 80, "old")
    await sqlite.settle([settled(c) for c in await sqlite.claim("w", max_entries=40)])
    reopened = await crash(sqlite, tmp_path, clock)
    await launched(reopened, 40, "new", BatchSpec())
    served = [(await reopened.claim("w", max_entries=1))[0].batch_key for _ in range(10)]
    assert 5 == served.count(served[0])
    await reopened.close()


async def test_a_large_batch_has_its_index_by_entry_when_it_ended(
    sqlite: SqliteStore, tmp_path: Path, clock: Clock
) -> None:
    """It is built beside the callers, again after a crash, and tells absent results apart."""
    count = sqlite_results.PLACED_FROM + 1_500
    await launched(sqlite, count)
    await finish(sqlite, per_claim=count - 10)
    reopened = await crash(sqlite, tmp_path, clock)
    for store in (sqlite, reopened):
        await asyncio.gather(*store._file._chores)
        assert [] == await store._file.read(sqlite_results.to_place)
        for index in (0, 999, 1_000, count - 1):
            assert row(index) == (await store.result_of(TENANT, "b1", index)).row
    await reopened.close()


async def test_the_index_of_a_cancelled_batch_tells_absent_results(sqlite: SqliteStore) -> None:
    """An entry without a result has none, though the index is there."""
    count = sqlite_results.PLACED_FROM + 4
    await launched(sqlite, count)
    claims = await sqlite.claim("w", max_entries=count)
    await sqlite.settle([settled(claim) for claim in claims[:-1]])
    await sqlite.cancel_batch(TENANT, "b1")
    await asyncio.gather(*sqlite._file._chores)
    absent, present = claims[-1].entries[0].entry_index, claims[0].entries[0].entry_index
    assert [] == await sqlite._file.read(sqlite_results.to_place)
    assert (None, None) == await sqlite.result_of(TENANT, "b1", absent)
    assert row(present) == (await sqlite.result_of(TENANT, "b1", present)).row


WRITER = """
import asyncio, sys
from tests.store.samples import SPEC, TENANT, entries, row, settled, Clock, open_sqlite
from pathlib import Path

async def main():
    store = await open_sqlite(Path(sys.argv[1]), Clock(), chunk_size=64)
    await store.create_batch(TENANT, "work", SPEC, entries(20_000), launch=True)
    await store.plan_launched()
    await store.create_batch(TENANT, "draft", SPEC)
    async def append():
        while True:
            kept = await store.append_entries(TENANT, "draft", None, entries(50))
            print("kept", kept, flush=True)
    async def work():
        done = 0
        while claims := await store.claim("w", max_entries=64):
            await store.settle([settled(claim) for claim in claims])
            done += sum(len(claim.entries) for claim in claims)
            print("done", done, flush=True)
    await asyncio.gather(append(), append(), work())

asyncio.run(main())
"""


async def test_what_was_acked_survives_kill_9(tmp_path: Path, clock: Clock) -> None:
    """A process is killed while it appends and settles; every ack it printed holds afterwards."""
    path = tmp_path / "store.db"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    acks = {"kept": 0, "done": 0}
    while min(acks["kept"], acks["done"]) < 2_000:
        kind, count = (await asyncio.to_thread(process.stdout.readline)).split()
        acks[kind] = int(count)
    os.kill(process.pid, signal.SIGKILL)
    for line in process.stdout:
        if line.endswith("\n"):
            kind, count = line.split()
            acks[kind] = int(count)
    process.stdout.close()
    process.wait()
    store = await open_sqlite(path, clock, chunk_size=64)
    assert acks["kept"] <= (await store.get_batch(TENANT, "draft")).entry_count
    _, progress = await store.progress(TENANT, "work")
    assert acks["done"] <= progress.result_count < 20_000
    await finish(store, per_claim=5_000)
    page = await store.results_after(TENANT, "work", 0, limit=30_000)
    assert list(range(20_000)) == sorted(result.entry_index for result in page.rows)
    await store.close()
