"""`mailvet verify`: addresses or a file of them in, one answer each out, in input order."""

import argparse
import asyncio
import sys
import time
import uuid
from pathlib import Path

from mailvet.cli.export import export_request, write_export
from mailvet.cli.file_in import upload_list
from mailvet.cli.inputs import entries as read_entries
from mailvet.cli.inputs import is_file
from mailvet.cli.remote import any_client
from mailvet.cli.show import ProgressLine, ResultPrinter, summary
from mailvet.client import Client
from mailvet.errors import ConfigError
from mailvet.loop import run
from mailvet.v1 import batch_pb2, batch_service_pb2, result_pb2, result_service_pb2, status_pb2

EGRESS_HINT = (
    "mailvet: no mail exchanger could be connected to: outbound port {port} seems closed here.\n"
    "  Run mailvet where that port is open, or point --target at a server that runs there.\n"
    "  What syntax, lists and DNS can tell was answered all the same."
)


def verify(arguments: argparse.Namespace) -> int:
    """Verify what the command line names; returns the exit code."""
    if arguments.evidence and not arguments.json:
        raise ConfigError("--evidence needs --json: neither a table nor CSV has room for it")
    if arguments.output:
        export_request(arguments)  # what is wrong with its flags is told before the work
    if arguments.output and len(arguments.inputs) == 1 and is_file(arguments.inputs[0]):
        return run(_verify(arguments, Path(arguments.inputs[0])))
    entries = list(read_entries(arguments))
    if not entries:
        raise ConfigError("there is nothing to verify: the input is empty")
    return run(_verify(arguments, entries))


async def _verify(arguments: argparse.Namespace, entries: list[str] | Path) -> int:
    """Verify entries, or a file that goes to the server as it is and comes back with answers."""
    style = "json" if arguments.json else "csv" if arguments.csv else "table"
    printer = ResultPrinter(style, evidence=arguments.evidence, quiet=bool(arguments.output))
    line = ProgressLine(quiet=arguments.quiet)
    started, count = time.monotonic(), 0
    async with any_client(arguments) as client:
        batch_id = await _create(client, arguments)
        try:
            count = await _upload(client, batch_id, entries, arguments, line)
            progress = await _follow(client, batch_id, arguments, printer, line)
            if arguments.output:
                request = export_request(arguments)
                request.batch_id = batch_id
                await write_export(client, arguments, request, line)
        except asyncio.CancelledError:
            line.clear()
            await asyncio.shield(_cancel(client, batch_id))
            _tell_interrupted(arguments, printer.count, count)
            raise
        finally:
            line.clear()
            printer.finish()
    _tell(arguments, progress, time.monotonic() - started)
    return _exit_code(arguments, progress)


async def _upload(
    client: Client,
    batch_id: str,
    entries: list[str] | Path,
    arguments: argparse.Namespace,
    line: ProgressLine,
) -> int:
    if isinstance(entries, Path):
        return await upload_list(client, batch_id, entries, arguments, line)
    batch = await client.upload(
        batch_id,
        (batch_pb2.Entry(input_data=entry) for entry in entries),
        launch=True,
        acked=lambda count: line.say(f"uploaded {count:,}/{len(entries):,}"),
    )
    return batch.entry_count


async def _create(client: Client, arguments: argparse.Namespace) -> str:
    batch = await client.create_batch(
        batch_service_pb2.CreateBatchRequest(
            name="mailvet verify",
            quality=status_pb2.QualityLevel.Value("QUALITY_LEVEL_" + arguments.quality.upper()),
            deduplication=batch_pb2.Deduplication.Value(
                "DEDUPLICATION_" + arguments.dedupe.upper()
            ),
            bare_domains=arguments.bare_domains,
            request_id=str(uuid.uuid4()),
        )
    )
    return batch.batch_id


async def _follow(
    client: Client,
    batch_id: str,
    arguments: argparse.Namespace,
    printer: ResultPrinter,
    line: ProgressLine,
) -> batch_pb2.Progress:
    view = result_pb2.RESULT_VIEW_EVIDENCE if arguments.evidence else result_pb2.RESULT_VIEW_FULL
    request = result_service_pb2.StreamResultsRequest(batch_id=batch_id, view=view, max_results=500)
    watcher = asyncio.ensure_future(_draw(client, batch_id, line))
    progress = batch_pb2.Progress()
    try:
        async for frame in client.stream_results(request):
            if frame.results and sys.stdout.isatty():
                line.clear()
            for result in frame.results:
                printer.add(result)
            if frame.HasField("progress"):
                progress = frame.progress
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    return progress


async def _draw(client: Client, batch_id: str, line: ProgressLine) -> None:
    async for frame in client.watch(batch_id):
        line.update(frame.progress)


async def _cancel(client: Client, batch_id: str) -> None:
    request = batch_service_pb2.CancelBatchRequest(batch_id=batch_id)
    await client.call(client.batches.CancelBatch, request, timeout_s=5)


def _tell(arguments: argparse.Namespace, progress: batch_pb2.Progress, seconds: float) -> None:
    if not arguments.quiet:
        print("\n".join(summary(progress, seconds)), file=sys.stderr)


def _tell_interrupted(arguments: argparse.Namespace, done: int, count: int) -> None:
    if not arguments.quiet:
        print(f"interrupted: {done:,} of {count:,} are answered", file=sys.stderr)


def _exit_code(arguments: argparse.Namespace, progress: batch_pb2.Progress) -> int:
    """0, or 1 with a hint when our own network kept some answers from us."""
    statuses = {count.status for count in progress.statuses}
    if status_pb2.ENTRY_STATUS_LOCAL_EGRESS_UNAVAILABLE not in statuses:
        return 0
    print(EGRESS_HINT.format(port=arguments.smtp_port or 25), file=sys.stderr)
    return 1
