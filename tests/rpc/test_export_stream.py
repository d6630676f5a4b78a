"""ExportResults over the wire: a real server, a real store, a real writing process."""

import asyncio
import csv
import io
import json
from typing import Any

import google_crc32c
import grpc
import pytest

from mailvet.rpc import exports
from mailvet.v1 import batch_service_pb2, export_pb2, status_pb2
from mailvet.v1 import result_service_pb2 as pb
from tests.batches.engine import every_third_missing, work
from tests.rpc.world import World, told

XLSX = export_pb2.EXPORT_FORMAT_XLSX
JSON = export_pb2.EXPORT_FORMAT_JSON
BIG = 4_000
"""Enough for several frames."""


async def frames_of(world: World, **asked: Any) -> list[pb.ExportResultsResponse]:
    """Every frame of an export of batch `b`."""
    request = pb.ExportResultsRequest(batch_id="b", **asked)
    return [frame async for frame in world.results.ExportResults(request)]


def joined(frames: list[pb.ExportResultsResponse]) -> bytes:
    """The bytes, having looked that they are side by side and as their sums say."""
    at = next(frame.offset for frame in frames if frame.data)
    for frame in frames:
        assert (at, google_crc32c.value(frame.data)) == (
            frame.offset,
            frame.crc32c,
        ) or not frame.data
        at += len(frame.data)
    assert frames[-1].done
    return b"".join(frame.data for frame in frames)


def file_of(frames: list[pb.ExportResultsResponse]) -> export_pb2.ExportedFile:
    """What was said of the file."""
    (found,) = (frame.file for frame in frames if frame.HasField("file"))
    return found


async def ended(world: World, count: int) -> None:
    """Batch `b` with so many results."""
    await world.create("b", count, launch=True)
    await work(world.store, choose=every_third_missing)


async def test_a_batch_is_exported_whole_and_in_order(world: World) -> None:
    """Every entry once, in input order, with size and sum of the whole said before."""
    await ended(world, BIG)
    frames = await frames_of(world)
    data, file = joined(frames), file_of(frames)
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [f"u{n}@example.org" for n in range(BIG)] == [row["input_data"] for row in rows]
    assert (len(data), google_crc32c.value(data)) == (file.size_bytes, file.crc32c)
    assert ("b.csv", "text/csv", BIG) == (file.file_name, file.media_type, file.record_count)
    assert 1 < sum(bool(frame.data) for frame in frames)


@pytest.mark.parametrize("form", [export_pb2.EXPORT_FORMAT_CSV, XLSX])
async def test_an_export_resumes_at_any_byte(world: World, form: Any) -> None:
    """With offset and etag the rest is the same bytes, also when the file was made anew."""
    await ended(world, 50)
    frames = await frames_of(world, format=form)
    data, etag = joined(frames), file_of(frames).etag
    for offset in (1, len(data) // 2, len(data) - 1):
        rest = await frames_of(world, format=form, offset=offset, etag=etag)
        assert data[offset:] == joined(rest)
    assert [b""] == [
        frame.data for frame in await frames_of(world, format=form, offset=len(data), etag=etag)
    ]


async def test_another_etag_is_refused(world: World) -> None:
    """The bytes are not those whose beginning the caller has: it is told which there are."""
    await ended(world, 3)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await frames_of(world, offset=5, etag="other")
    assert ("ETAG_MISMATCH", grpc.StatusCode.ABORTED) == (
        told(refused.value).info.reason,
        refused.value.code(),
    )


async def test_results_are_filtered_and_said_in_a_dialect(world: World) -> None:
    """Only what passes, in the vendor's words."""
    await ended(world, 9)
    asked = pb.ResultFilter(classifications=[status_pb2.CLASSIFICATION_UNDELIVERABLE])
    verifalia = export_pb2.EXPORT_DIALECT_VERIFALIA
    document = json.loads(
        joined(await frames_of(world, format=JSON, dialect=verifalia, filter=asked))
    )
    assert [0, 3, 6] == [entry["index"] for entry in document["data"]]
    assert {"MailboxDoesNotExist"} == {entry["status"] for entry in document["data"]}


async def test_columns_are_chosen(world: World) -> None:
    """In the order that was asked for."""
    await ended(world, 1)
    data = joined(await frames_of(world, columns=["status", "index"]))
    assert b"status,index\r\nMAILBOX_DOES_NOT_EXIST,0\r\n" == data


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"format": 99}, "format"),
        ({"dialect": 99}, "dialect"),
        ({"columns": ["colour"]}, "columns"),
        ({"columns": ["index"], "dialect": 1}, "columns"),
        ({"offset": -1}, "offset"),
        ({"offset": 1}, "etag"),
    ],
)
async def test_what_cannot_be_exported_is_refused(
    world: World, asked: dict[str, Any], field: str
) -> None:
    """With the field that is wrong."""
    await world.create("b", 1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await frames_of(world, **asked)
    assert [field] == [
        violation.field for violation in told(refused.value).details["BadRequest"].field_violations
    ][:1]


async def test_a_running_batch_is_exported_as_far_as_it_is(world: World) -> None:
    """And anew the next time."""
    await world.create("b", 20, launch=True)
    assert 0 == file_of(await frames_of(world)).record_count
    await work(world.store)
    assert 20 == file_of(await frames_of(world)).record_count


async def test_a_deleted_batch_leaves_no_file(world: World) -> None:
    """What was kept for who resumes goes with the batch."""
    await ended(world, 3)
    etag = file_of(await frames_of(world)).etag
    await world.batches.DeleteBatch(batch_service_pb2.DeleteBatchRequest(batch_id="b"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await frames_of(world, offset=1, etag=etag)
    assert grpc.StatusCode.NOT_FOUND == refused.value.code()


async def test_who_leaves_does_not_end_the_work_of_another(world: World) -> None:
    """Two ask for the same file; one goes, the other gets it."""
    await ended(world, 10)
    staying = asyncio.create_task(frames_of(world))
    leaving = world.results.ExportResults(pb.ExportResultsRequest(batch_id="b"))
    leaving.cancel()
    assert 10 == file_of(await staying).record_count


def test_files_are_kept_for_a_while() -> None:
    """Longer than a client waits for a server that restarts, and a bounded number of them."""
    assert exports.KEEP_S >= 60
    assert exports.MAX_KEPT >= 2 * exports.MAX_BUILDS
