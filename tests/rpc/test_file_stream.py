"""UploadFile and AddFile over the wire: acks, resume, checks, and what becomes of a file."""

import csv
import io
import json
from typing import Any

import google_crc32c
import grpc
import pytest
from python_calamine import CalamineWorkbook

from mailvet.v1 import batch_pb2, batch_service_pb2, export_pb2
from mailvet.v1 import result_service_pb2 as result_pb
from mailvet.v1 import upload_file_pb2 as pb
from tests.batches.engine import work
from tests.files.corpus import RECIPES
from tests.rpc.test_export_stream import file_of, frames_of, joined
from tests.rpc.world import World, read_rest, told

CONTENT = "Name;E-Mail\r\nJürgen;j@a.test\r\nohne;\r\nÄnne;k@b.test\r\n".encode("cp1252")
SETTINGS = pb.FileSettings(name="Liste.csv")


async def sent(world: World, *frames: pb.UploadFileRequest) -> list[pb.UploadFileResponse]:
    """The replies to frames that are sent without waiting."""
    return [reply async for reply in world.batches.UploadFile(iter(frames))]


def whole(data: bytes = CONTENT, **finish: Any) -> pb.UploadFileRequest:
    """One frame with all of a file."""
    return pb.UploadFileRequest(
        batch_id="b",
        settings=SETTINGS,
        offset=0,
        data=data,
        crc32c=google_crc32c.value(data),
        finish=pb.FinishFile(
            **{"size_bytes": len(data), "crc32c": google_crc32c.value(data)} | finish
        ),
    )


async def refusal(world: World, *frames: pb.UploadFileRequest) -> tuple[str, str]:
    """The reason and the first wrong field of a refusal."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await sent(world, *frames)
    bad = told(refused.value).details.get("BadRequest")
    return told(refused.value).info.reason, bad.field_violations[0].field if bad else ""


async def test_a_file_becomes_entries(world: World) -> None:
    """Rows read, kept and bad, a sample of the bad ones, and the batch launched."""
    await world.create("b")
    *_, last = await sent(world, whole(launch=True))
    reading = last.reading
    assert ("delimited", "cp1252", ";", 1, 1) == (
        reading.kind,
        reading.encoding,
        reading.delimiter,
        reading.header_row,
        reading.column_index,
    )
    assert (3, 2, 1) == (reading.rows_read, reading.rows_kept, reading.rows_bad)
    assert [(3, "ohne | ")] == [(odd.row_number, odd.text) for odd in reading.samples]
    assert ["Name", "E-Mail"] == list(reading.column_names)
    assert (batch_pb2.BATCH_STATE_RUNNING, 2) == (last.batch.state, last.batch.entry_count)


async def test_a_row_keeps_its_other_columns(world: World) -> None:
    """They stand beside the answer, and in exports."""
    await world.create("b")
    await sent(world, whole(launch=True))
    await work(world.store)
    request = result_pb.GetResultRequest(batch_id="b", index=1)
    response = await world.results.GetResult(request)
    assert ("k@b.test", {"Name": "Änne"}) == (response.result.input_data, dict(response.labels))
    data = joined(await frames_of(world, columns=["labels.Name", "input_data"]))
    assert "labels.Name,input_data\r\nJürgen,j@a.test\r\nÄnne,k@b.test\r\n" == data.decode()
    (first, _) = csv.DictReader(io.StringIO(joined(await frames_of(world)).decode(), newline=""))
    assert "Jürgen" == first["labels.Name"]
    lines = joined(await frames_of(world, format=export_pb2.EXPORT_FORMAT_JSON_LINES))
    assert [{"Name": "Jürgen"}, {"Name": "Änne"}] == [
        json.loads(line)["labels"] for line in lines.splitlines()
    ]


async def test_the_uploaded_file_comes_back_with_columns(world: World) -> None:
    """In its own encoding and with its own delimiter, under its own name."""
    await world.create("b")
    await sent(world, whole(launch=True))
    await work(world.store)
    frames = await frames_of(
        world,
        format=export_pb2.EXPORT_FORMAT_UPLOADED_FILE,
        dialect=export_pb2.EXPORT_DIALECT_USER_CLEANING,
    )
    rows = joined(frames).decode("cp1252").splitlines()
    assert "Name;E-Mail;category;domain_type" == rows[0]
    assert "Jürgen;j@a.test;" == rows[1][:16]
    assert "ohne;" == rows[2]
    assert ("Liste.csv", "text/csv") == (file_of(frames).file_name, file_of(frames).media_type)


async def test_each_frame_has_an_ack_and_a_cut_is_resumed(world: World) -> None:
    """The first reply says where to go on; what is kept already is skipped."""
    await world.create("b")
    data = "".join(f"u{n}@a.test\n" for n in range(3000)).encode()
    stream = world.batches.UploadFile()
    await stream.write(pb.UploadFileRequest(batch_id="b", data=data[:7000]))
    first = await stream.read()
    assert (7000, google_crc32c.value(data[:7000])) == (first.size_bytes, first.crc32c)
    stream.cancel()

    stream = world.batches.UploadFile()
    await stream.write(pb.UploadFileRequest(batch_id="b", settings=SETTINGS))
    assert 7000 == (await stream.read()).size_bytes
    for start in range(5000, len(data), 5000):
        piece = data[start : start + 5000]
        await stream.write(pb.UploadFileRequest(offset=start, data=piece))
        assert max(7000, start + len(piece)) == (await stream.read()).size_bytes
    finish = pb.FinishFile(size_bytes=len(data), crc32c=google_crc32c.value(data))
    await stream.write(pb.UploadFileRequest(finish=finish))
    *_, last = await read_rest(stream)
    assert (3000, 3000) == (last.reading.rows_kept, last.batch.entry_count)


async def test_a_file_is_read_once(world: World) -> None:
    """The end of an upload whose answer was lost is repeated and has the same answer."""
    await world.create("b")
    *_, last = await sent(world, whole())
    *_, again = await sent(world, whole(launch=True))
    assert (last.reading, 2) == (again.reading, again.batch.entry_count)
    assert batch_pb2.BATCH_STATE_RUNNING == again.batch.state


async def test_reading_goes_on_after_a_cut(world: World) -> None:
    """Rows whose entries are kept are skipped."""
    await world.create("b")
    await world.store.open_upload("default", "b", "list.txt", '{"column": null}')
    data = b"".join(b"u%d@a.test\n" % n for n in range(5000))
    await world.store.append_upload("default", "b", 0, data)
    entries = [batch_pb2.Entry(input_data=f"u{n}@a.test") for n in range(700)]
    await world.batches.AddEntries(
        batch_service_pb2.AddEntriesRequest(batch_id="b", entries=entries)
    )
    *_, last = await sent(world, pb.UploadFileRequest(batch_id="b", finish=pb.FinishFile()))
    assert (5000, 5000) == (last.reading.rows_kept, last.batch.entry_count)


async def test_what_is_wrong_is_refused(world: World) -> None:
    """By its reason and field; what was kept before stays kept."""
    await world.create("b")
    await world.create("full", 1)
    frame = pb.UploadFileRequest
    assert ("INVALID_REQUEST", "batch_id") == await refusal(world, frame(data=b"x"))
    assert ("NOT_FOUND", "") == await refusal(world, frame(batch_id="none"))
    assert ("WRONG_STATE", "") == await refusal(world, frame(batch_id="full"))
    assert ("OFFSET_GAP", "") == await refusal(world, frame(batch_id="b", offset=5, data=b"x"))
    damaged = frame(batch_id="b", data=b"x", crc32c=1)
    assert ("INVALID_REQUEST", "crc32c") == await refusal(world, damaged)
    large = frame(batch_id="b", data=bytes(3 * 2**20 + 1))
    assert ("INVALID_REQUEST", "data") == await refusal(world, large)
    other = frame(batch_id="b"), frame(batch_id="full")
    assert ("INVALID_REQUEST", "batch_id") == await refusal(world, *other)
    last_row = frame(batch_id="b", settings=pb.FileSettings(first_row=3, last_row=2))
    assert ("INVALID_REQUEST", "settings.last_row") == await refusal(world, last_row)
    assert ("INVALID_REQUEST", "finish.size_bytes") == await refusal(world, whole(size_bytes=9))
    assert ("INVALID_REQUEST", "finish.crc32c") == await refusal(world, whole(crc32c=9))
    *_, last = await sent(world, whole())
    assert 2 == last.batch.entry_count
    assert ("WRONG_STATE", "") == await refusal(world, whole(CONTENT + b"more"))


async def test_a_file_that_cannot_be_read_may_be_read_otherwise(world: World) -> None:
    """The settings of a later stream count, as long as none was read."""
    await world.create("b")
    frame = whole()
    frame.settings.column_name = "Adresse"
    assert ("INVALID_REQUEST", "Liste.csv") == await refusal(world, frame)
    frame = pb.UploadFileRequest(batch_id="b", settings=SETTINGS, finish=pb.FinishFile())
    frame.settings.column_index = 1
    *_, last = await sent(world, frame)
    assert ("as asked", 2) == (last.reading.column_reason, last.reading.rows_kept)


async def test_a_small_file_needs_no_stream(world: World) -> None:
    """One call, and every setting of a file."""
    await world.create("b")
    settings = pb.FileSettings(
        name="x.txt", encoding="latin-1", delimiter="|", header=False, column_index=1, first_row=2
    )
    data = b"title\na|u1@a.test\nb|u2@a.test\nc|u3@a.test\n"
    settings.last_row = 3
    request = pb.AddFileRequest(batch_id="b", settings=settings, data=data, launch=True)
    response = await world.batches.AddFile(request)
    assert (2, 2) == (response.reading.rows_kept, response.batch.entry_count)
    assert "iso8859-1" == response.reading.encoding
    assert not response.reading.HasField("header_row")


async def test_a_batch_without_a_file_has_none_to_export(world: World) -> None:
    """The field that is wrong is the format."""
    await world.create("b", 1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await frames_of(world, format=export_pb2.EXPORT_FORMAT_UPLOADED_FILE)
    assert "format: the batch was not made of a file" in str(refused.value.details())


@pytest.mark.parametrize("recipe", ["xlsx", "xls", "ods"])
async def test_a_workbook_goes_there_and_back(world: World, recipe: str) -> None:
    """Read by a process of its own, written again as a workbook."""
    await world.create("b")
    settings = pb.FileSettings(name="list.bin")
    request = pb.AddFileRequest(
        batch_id="b", settings=settings, data=RECIPES[recipe](), launch=True
    )
    response = await world.batches.AddFile(request)
    assert (recipe, 2) == (response.reading.kind, response.reading.rows_kept)
    await work(world.store)
    frames = await frames_of(world, format=export_pb2.EXPORT_FORMAT_UPLOADED_FILE)
    book = CalamineWorkbook.from_filelike(io.BytesIO(joined(frames)))
    rows = book.get_sheet_by_index(0).to_python()
    at = rows[0].index("status")
    assert ["SUCCESS"] * 2 == [row[at] for row in rows[1:]]


async def test_a_line_ends_as_it_is_said(world: World) -> None:
    """Other ends are part of the line."""
    await world.create("b")
    settings = pb.FileSettings(name="list.txt", line_ending=pb.LINE_ENDING_CRLF)
    added = await world.batches.AddFile(
        pb.AddFileRequest(batch_id="b", settings=settings, data=b"a@a.test\r\nb\nc@c.test\r\n")
    )
    assert (2, 2) == (added.reading.rows_read, added.batch.entry_count)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.AddFile(
            pb.AddFileRequest(batch_id="b", settings=pb.FileSettings(line_ending=9))  # type: ignore[arg-type]
        )
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert "settings.line_ending" == violation.field
