"""ExportResults: how far the file is, the file, then its bytes from an offset on."""

import asyncio
import json
from pathlib import Path

import google_crc32c

from mailvet.batches.limits import MAX_FRAME_BYTES
from mailvet.errors import EtagMismatch, NotFound, Violations
from mailvet.files import FileRefused
from mailvet.files.dialects import DIALECTS, OWN
from mailvet.files.writers import same_form
from mailvet.model.batch import Batch, UploadedFile
from mailvet.rpc import rules
from mailvet.rpc.call import GOING_AWAY_DELAY_S, Call
from mailvet.rpc.decode import result_filter
from mailvet.rpc.encode import duration
from mailvet.rpc.export_build import ExportFile, ExportSpec
from mailvet.rpc.export_process import Written, dialect_of
from mailvet.rpc.exports import Export, Exports
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import export_pb2 as export_pb
from mailvet.v1 import result_service_pb2 as pb

MAX_COLUMNS = 200
"""Every field of a result, and as many labels again."""
_TICK_S = 1.0
"""How often a reader hears how far the file is, at most."""
_FORMS: dict[int, str] = {
    export_pb.EXPORT_FORMAT_UNSPECIFIED: "csv",
    export_pb.EXPORT_FORMAT_CSV: "csv",
    export_pb.EXPORT_FORMAT_TSV: "tsv",
    export_pb.EXPORT_FORMAT_XLSX: "xlsx",
    export_pb.EXPORT_FORMAT_XLS: "xls",
    export_pb.EXPORT_FORMAT_JSON: "json",
    export_pb.EXPORT_FORMAT_JSON_LINES: "jsonl",
    export_pb.EXPORT_FORMAT_XML: "xml",
    export_pb.EXPORT_FORMAT_UPLOADED_FILE: "",
}
_DIALECTS: dict[int, str] = {
    int(number): name.removeprefix("EXPORT_DIALECT_").lower().replace("_", "-")
    for name, number in export_pb.ExportDialect.items()
} | {int(export_pb.EXPORT_DIALECT_UNSPECIFIED): OWN.name}
_MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "xml": "application/xml",
}


def export_spec(request: pb.ExportResultsRequest) -> ExportSpec:
    """Return what ExportResults asks for; raises `InvalidRequest`."""
    wrong = Violations()
    form = rules.number(request.format, "format", _FORMS, wrong)
    number = rules.number(request.dialect, "dialect", _DIALECTS, wrong)
    rules.check_range(request.offset, "offset", 0, 2**63 - 1, wrong)
    if request.offset and not request.etag:
        wrong.add("etag", "an offset belongs to a file: send the etag of the one you have")
    spec = ExportSpec(
        form=_FORMS[form],
        dialect=_DIALECTS[number],
        columns=tuple(request.columns),
        where=result_filter(request.filter, wrong),
        escape=not request.keep_formulas,
    )
    _check_columns(spec, wrong)
    wrong.raise_if_any()
    return spec


def _check_columns(spec: ExportSpec, wrong: Violations) -> None:
    if spec.columns and spec.dialect != OWN.name:
        wrong.add("columns", "a vendor's dialect has its own columns; leave out one of the two")
    rules.check_range(len(spec.columns), "columns", 0, MAX_COLUMNS, wrong, " columns")
    if not spec.form and not DIALECTS[spec.dialect].additions:
        wrong.add("dialect", f"{spec.dialect} adds nothing to a file; choose a format for it")
    try:
        dialect_of(spec.dialect, spec.columns)
    except FileRefused as error:
        wrong.add("columns", str(error))


async def send(
    exports: Exports,
    batch: Batch,
    call: Call[pb.ExportResultsRequest],
    request: pb.ExportResultsRequest,
    least_heartbeat_s: float,
) -> None:
    """Answer one ExportResults call."""
    spec = export_spec(request)
    wrong = Violations()
    heartbeat_s = rules.heartbeat(request, least_heartbeat_s, wrong)
    kept = None if spec.form else await exports.upload_of(batch)
    if not spec.form and not (kept and kept.reading):
        wrong.add("format", "the batch was not made of a file; choose another format")
    wrong.raise_if_any()
    async with exports.opened(batch, spec, request.etag) as export:
        file = await _made(export, call, heartbeat_s)
        written = file.written
        if request.etag and request.etag != written.etag:
            raise EtagMismatch(written.etag)
        first = pb.ExportResultsResponse(
            prepared_count=written.record_count, file=_told(batch, kept, spec, written)
        )
        await _send_bytes(file, request.offset, call, first)


async def _made(
    export: Export, call: Call[pb.ExportResultsRequest], heartbeat_s: float
) -> ExportFile:
    """Wait for the file, and say how far it is."""
    said, silent_s = 0, 0.0
    while True:
        waited = asyncio.wait({export.task}, timeout=min(_TICK_S, heartbeat_s))
        if await call.drain.unless(waited) is None:
            await _go_away(call)
        if export.task.done():
            return await _result(export)
        silent_s += _TICK_S
        if export.prepared_count > said or silent_s >= heartbeat_s:
            said, silent_s = export.prepared_count, 0.0
            await call.write(pb.ExportResultsResponse(prepared_count=said))


async def _result(export: Export) -> ExportFile:
    if export.task.cancelled():  # by Exports.forget
        raise NotFound("batch", export.batch.batch_id)
    return export.task.result()


async def _send_bytes(
    file: ExportFile,
    offset: int,
    call: Call[pb.ExportResultsRequest],
    frame: pb.ExportResultsResponse,
) -> None:
    size = file.written.size_bytes
    while True:
        frame.data = file.read(offset, MAX_FRAME_BYTES)
        frame.offset = offset
        frame.crc32c = google_crc32c.value(frame.data)
        offset += len(frame.data)
        frame.done = offset >= size
        await call.write(frame)
        if frame.done:
            return
        if call.drain.begun:
            await _go_away(call)
        frame = pb.ExportResultsResponse()


async def _go_away(call: Call[pb.ExportResultsRequest]) -> None:
    going_away = batch_pb.GoingAway(retry_delay=duration(GOING_AWAY_DELAY_S))
    await call.write(pb.ExportResultsResponse(going_away=going_away))
    raise call.going_away()


def _told(
    batch: Batch, kept: UploadedFile | None, spec: ExportSpec, written: Written
) -> export_pb.ExportedFile:
    form = spec.form or same_form(json.loads(kept.reading)["kind"] if kept else "")
    name = batch.batch_id
    if kept and kept.name:
        name = Path(kept.name).stem
    return export_pb.ExportedFile(
        file_name=f"{name}.{form}",
        media_type=_MEDIA_TYPES[form],
        size_bytes=written.size_bytes,
        crc32c=written.crc32c,
        etag=written.etag,
        record_count=written.record_count,
    )
