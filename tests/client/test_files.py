"""Files to and from a server that goes away in the middle."""

import io
from collections.abc import AsyncIterator
from typing import Any

import google_crc32c
import pytest

from mailvet.client import Client, ServiceError, connect
from mailvet.client.download import Download
from mailvet.store.memory import MemoryStore
from mailvet.v1 import export_pb2, upload_file_pb2
from mailvet.v1 import result_service_pb2 as pb
from tests.batches.engine import work
from tests.rpc.world import World, open_world

DATA = b"name,email\n" + b"".join(b"n%d,u%d@a.test\n" % (n, n) for n in range(5000))


@pytest.fixture(name="world")
async def _world() -> AsyncIterator[World]:
    async with open_world(MemoryStore()) as world:
        yield world


async def test_a_file_goes_there_and_back(world: World) -> None:
    """Every row kept, every byte checked."""
    await world.create("b")
    heard: list[int] = []
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        settings = upload_file_pb2.FileSettings(name="x.csv")
        last = await client.upload_file(
            "b",
            io.BytesIO(DATA),
            settings,
            launch=True,
            acked=lambda one: heard.append(one.size_bytes),
        )
        await work(world.store)
        out = io.BytesIO()
        file = await client.export(pb.ExportResultsRequest(batch_id="b"), out)
    assert (5000, 5000) == (last.reading.rows_kept, last.batch.entry_count)
    assert (0, len(DATA)) == (heard[0], heard[-1])
    assert (file.size_bytes, file.crc32c) == (
        len(out.getvalue()),
        google_crc32c.value(out.getvalue()),
    )


async def test_an_upload_goes_on_from_what_is_kept(world: World) -> None:
    """The beginning is not sent twice."""
    await world.create("b")
    await world.store.open_upload("default", "b", "x.csv", "{}")
    await world.store.append_upload("default", "b", 0, DATA[:1000])
    heard: list[int] = []
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        last = await client.upload_file(
            "b", io.BytesIO(DATA), acked=lambda one: heard.append(one.size_bytes)
        )
    assert (1000, 5000) == (heard[0], last.reading.rows_kept)


async def test_two_files_are_never_mixed(world: World) -> None:
    """A batch with the beginning of another file refuses this one, before a byte is sent."""
    await world.create("b")
    await world.store.open_upload("default", "b", "x.csv", "{}")
    await world.store.append_upload("default", "b", 0, DATA[:1000].upper())
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        with pytest.raises(ServiceError, match="beginning of another file"):
            await client.upload_file("b", io.BytesIO(DATA))


async def test_a_file_that_cannot_be_read_is_told(world: World) -> None:
    """As the server says it, with the name of the file."""
    await world.create("b")
    settings = upload_file_pb2.FileSettings(name="x.csv", column_name="none")
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        with pytest.raises(ServiceError, match=r"x\.csv: there is no column 'none'"):
            await client.upload_file("b", io.BytesIO(DATA), settings)


def frames(data: bytes, cut: int, etag: str = "e") -> list[pb.ExportResultsResponse]:
    """The frames of a file up to a cut."""
    file = export_pb2.ExportedFile(
        size_bytes=len(data), crc32c=google_crc32c.value(data), etag=etag
    )
    return [
        pb.ExportResultsResponse(file=file, data=data[:3]),
        *(pb.ExportResultsResponse(offset=at, data=data[at : at + 3]) for at in range(3, cut, 3)),
    ]


async def given(items: list[Any]) -> AsyncIterator[Any]:
    """One after the other."""
    for item in items:
        yield item


async def test_a_download_knows_where_to_go_on() -> None:
    """Offset and etag are those of what was written; a frame that was here before is left out."""
    out = io.BytesIO()
    download = Download(pb.ExportResultsRequest(batch_id="b"), out, None)
    with pytest.raises(ServiceError, match="checksum"):
        await download.take(given(frames(b"0123456789", 6)))
    assert (6, "e") == (download.request.offset, download.request.etag)
    rest = frames(b"0123456789", 10)
    await download.take(given([pb.ExportResultsResponse(file=rest[0].file), *rest[1:]]))
    assert b"0123456789" == out.getvalue()


async def test_a_download_begins_again_when_the_file_is_another() -> None:
    """What was written is taken back, unless it is gone already."""
    out = io.BytesIO(b"before")
    out.seek(6)
    download = Download(pb.ExportResultsRequest(batch_id="b"), out, None)
    with pytest.raises(ServiceError):
        await download.take(given(frames(b"0123456789", 6)))
    assert download.restart()
    assert (b"before", 0, "") == (out.getvalue(), download.request.offset, download.request.etag)


async def test_the_same_batch_makes_the_same_file(world: World) -> None:
    """The results of a batch that ended make the same bytes, so a cut is not seen."""
    await world.create("b", 10, launch=True)
    await work(world.store)
    async with connect(f"127.0.0.1:{world.server.port}") as client:
        whole = await _export(client)
        assert whole == await _export(client)


async def _export(client: Client) -> bytes:
    out = io.BytesIO()
    await client.export(
        pb.ExportResultsRequest(batch_id="b", format=export_pb2.EXPORT_FORMAT_XLSX), out
    )
    return out.getvalue()
