"""A list in a file, in and out of a real server: uploaded, prepared, answered, streamed, exported.

    python -m bench.files [--rows 1000000] [--formats csv xlsx]

A third each of the entries has bad syntax, a dead domain, or repeats one of these, so that
answering is cheap; the file has two more columns.
Prints seconds and peak memory of the server and of the largest process that writes an export, and
checks that the same number of rows is everywhere.
"""

import argparse
import asyncio
import csv
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from bench.offline import NOBODY, addresses
from mailvet.client import Client
from mailvet.testbed.bed import Testbed
from mailvet.v1 import (
    batch_service_pb2,
    export_pb2,
    result_service_pb2,
    status_pb2,
    upload_file_pb2,
)
from tests.acceptance.house import FreshServerProcess

BATCH = "files"
SERVER_MIB = 400
"""The most that the server may have; the processes that write have as much again."""


def rows(count: int) -> Iterator[str]:
    """Yield the lines of the list."""
    yield "id,name,email\n"
    for number, address in enumerate(addresses(count)):
        yield f"{number},Name {number},{address}\n"


async def measure(count: int, formats: list[str], folder: Path) -> dict[str, Any]:
    """Run once; returns seconds, bytes and MiB."""
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(rows(count))
    async with Testbed(NOBODY) as bed:
        server = FreshServerProcess(bed, folder, window_entries="5000")
        await server.start()
        try:
            async with server.client() as client:
                found = await _fill(client, path, count)
                found |= await _answer(client, count)
                for form in formats:
                    found |= await _export(client, server, form, count, folder)
            return found | {"server_peak_mib": round(server.peak_memory_mib())}
        finally:
            await server.stop()


async def _fill(client: Client, path: Path, count: int) -> dict[str, Any]:
    await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id=BATCH))
    started = time.perf_counter()
    with path.open("rb") as source:
        settings = upload_file_pb2.FileSettings(name=path.name)
        last = await client.upload_file(BATCH, source, settings)
    assert count == last.reading.rows_kept == last.batch.entry_count
    return {
        "file_mb": round(path.stat().st_size / 1e6),
        "upload_s": round(time.perf_counter() - started, 1),
    }


async def _answer(client: Client, count: int) -> dict[str, Any]:
    """Prepare, launch, stream every result while the work runs, and count what was counted."""
    started = time.perf_counter()
    counted = await client.call(
        client.batches.PrepareBatch, batch_service_pb2.PrepareBatchRequest(batch_id=BATCH)
    )
    sums = counted.unique_count + counted.duplicate_count + counted.wrong_format_count
    assert count == counted.entry_count == sums, counted
    prepared = time.perf_counter()
    await client.call(
        client.batches.LaunchBatch, batch_service_pb2.LaunchBatchRequest(batch_id=BATCH)
    )
    asked = result_service_pb2.StreamResultsRequest(batch_id=BATCH, max_results=1000)
    streamed = 0
    async for frame in client.stream_results(asked):
        streamed += len(frame.results)
        progress = frame.progress
    assert count == streamed == progress.result_count, (streamed, progress)
    duplicates = sum(
        one.count for one in progress.statuses if one.status == status_pb2.ENTRY_STATUS_DUPLICATE
    )
    assert counted.duplicate_count == duplicates, (counted, duplicates)
    return {
        "prepare_s": round(prepared - started, 1),
        "answer_and_stream_s": round(time.perf_counter() - prepared, 1),
        "unique": counted.unique_count,
        "duplicates": counted.duplicate_count,
        "wrong": counted.wrong_format_count,
    }


async def _export(
    client: Client, server: FreshServerProcess, form: str, count: int, folder: Path
) -> dict[str, Any]:
    request = result_service_pb2.ExportResultsRequest(
        batch_id=BATCH, format=export_pb2.ExportFormat.Value(f"EXPORT_FORMAT_{form.upper()}")
    )
    path, started = folder / f"out.{form}", time.perf_counter()
    peaks = asyncio.create_task(_peak_of_children(server))
    with path.open("wb") as out:
        file = await client.export(request, out)
    seconds = time.perf_counter() - started
    peaks.cancel()
    peak = await peaks
    counts = (count, file.record_count, _count(path, form))
    assert len(set(counts)) == 1, counts
    return {
        f"{form}_s": round(seconds, 1),
        f"{form}_mb": round(file.size_bytes / 1e6),
        f"{form}_writer_peak_mib": round(peak),
    }


async def _peak_of_children(server: FreshServerProcess) -> float:
    """The largest resident set of a process of the server's, looked at now and then, in MiB."""
    peak = 0.0
    try:
        while True:
            for pid in server.children():
                peak = max(peak, _peak_mib(Path(f"/proc/{pid}/status")))
            await asyncio.sleep(0.5)
    except asyncio.CancelledError:
        return peak


def _peak_mib(status: Path) -> float:
    try:
        lines = status.read_text("ascii").splitlines()
    except OSError:  # it has ended
        return 0.0
    return max(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0
    )


def _count(path: Path, form: str) -> int:
    if form == "xlsx":
        with CalamineWorkbook.from_path(path) as book:
            return sum(book.get_sheet_by_name(name).height - 1 for name in book.sheet_names)
    with path.open(encoding="utf-8", newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", choices=("csv", "xlsx"), default=["csv", "xlsx"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(arguments.rows, arguments.formats, Path(folder)))
    print(json.dumps({"rows": arguments.rows, **found}))
    assert found["server_peak_mib"] < SERVER_MIB


if __name__ == "__main__":
    main()
