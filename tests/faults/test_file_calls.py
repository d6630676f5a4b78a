"""Files in and out while the store fails, and while the server is killed."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from mailvet.client import connect
from mailvet.store.memory import MemoryStore
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_service_pb2, result_service_pb2, upload_file_pb2
from tests.acceptance.house import ServerProcess
from tests.batches.engine import work
from tests.faults.faulty import FaultyStore, When
from tests.rpc.world import World, open_world

ROWS = 4100
"""Two thousand are appended at once: there is a first, a middle and a last time."""
DATA = b"name,email\n" + b"".join(b"n%d,u%d@gone.test\n" % (n, n) for n in range(ROWS))
COPIES = 60
"""For a file that is long enough to be killed in."""
SETTINGS = upload_file_pb2.FileSettings(name="list.csv")
METHODS = (
    *("open_upload", "append_upload", "upload_part", "append_entries", "finish_upload"),
    *("get_upload", "labels_from", "results_after"),
)
"""All that a file may call on its way in and out."""
NOBODY = parse_world("""
name = "nobody"

[[host]]
name = "mx.there.test"
addresses = ["127.0.77.1"]
domains = ["there.test"]
""")


@pytest.fixture(name="faulty")
async def _faulty() -> AsyncIterator[tuple[FaultyStore, World]]:
    store: Any = FaultyStore(MemoryStore())
    async with open_world(store) as world:
        yield store, world


async def there_and_back(world: World, batch_id: str) -> bytes:
    """A file uploaded, answered and exported by a client that is patient."""
    await world.create(batch_id)
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        last = await client.upload_file(batch_id, io.BytesIO(DATA), SETTINGS, launch=True)
        assert (ROWS, ROWS) == (last.reading.rows_kept, last.batch.entry_count)
        await work(world.store, a_time=1000)
        out = io.BytesIO()
        columns = ["index", "input_data", "labels.name"]
        request = result_service_pb2.ExportResultsRequest(batch_id=batch_id, columns=columns)
        file = await client.export(request, out)
    assert file.crc32c == google_crc32c.value(out.getvalue())
    return out.getvalue()


@pytest.mark.parametrize("when", When)
async def test_a_call_of_every_method_fails(faulty: tuple[FaultyStore, World], when: When) -> None:
    """Before it took effect or after: the client tries again, no row is lost or doubled."""
    store, world = faulty
    expected = b"index,input_data,labels.name\r\n" + b"".join(
        b"%d,u%d@gone.test,n%d\r\n" % (n, n, n) for n in range(ROWS)
    )
    for number, method in enumerate(METHODS):
        store.arm(method, 1 + (method in ("append_entries", "upload_part")), when)
        assert expected == await there_and_back(world, f"b{number}")
        assert store.failed or method == "upload_part"
    store.disarm()


@pytest.mark.slow
async def test_a_killed_server_loses_nothing_of_a_file(tmp_path: Path) -> None:
    """Killed while the file comes and again while it is read; the client does not notice."""
    data = DATA.replace(b"@gone", b"@much-longer-name-of-a-domain-that-is-gone")
    data *= COPIES
    rows = (
        ROWS * COPIES + COPIES - 1
    )  # the header of each copy but the first is a row, and bad or not
    async with Testbed(NOBODY) as bed:
        server = ServerProcess(bed, tmp_path)
        await server.start()
        try:
            async with connect(server.target, patience_s=30) as client:
                create = batch_service_pb2.CreateBatchRequest(batch_id="b")
                await client.create_batch(create)
                heard: list[upload_file_pb2.UploadFileResponse] = []
                upload = asyncio.create_task(
                    client.upload_file("b", io.BytesIO(data), SETTINGS, acked=heard.append)
                )
                for passed in (
                    lambda one: one.size_bytes > len(data) // 2,
                    lambda one: one.entry_count > rows // 8,
                ):
                    while not (upload.done() or any(map(passed, heard))):
                        await asyncio.sleep(0.01)
                    kept = heard[-1].size_bytes
                    await server.kill()
                    heard.clear()
                    await server.start()
                    while not (upload.done() or heard):
                        await asyncio.sleep(0.01)
                    assert heard[0].size_bytes >= kept
                last = await upload
        finally:
            await server.stop()
    assert rows == last.reading.rows_read
    assert last.reading.rows_kept == last.batch.entry_count >= ROWS * COPIES
