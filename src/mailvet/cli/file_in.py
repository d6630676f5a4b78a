"""A file with a list of addresses on its way to a server, as it is."""

import argparse
import sys
from pathlib import Path

from mailvet.cli.inputs import read_options
from mailvet.cli.show import ProgressLine
from mailvet.client import Client
from mailvet.v1 import upload_file_pb2


def file_settings(path: Path, arguments: argparse.Namespace) -> upload_file_pb2.FileSettings:
    """Return how the flags say that the file is to be read."""
    options = read_options(arguments)
    settings = upload_file_pb2.FileSettings(
        name=path.name,
        encoding=options.encoding or "",
        delimiter=options.delimiter or "",
        header=options.header,
    )
    for name, value in (("column", options.column), ("sheet", options.sheet)):
        if value is not None:
            setattr(settings, f"{name}_{'index' if isinstance(value, int) else 'name'}", value)
    return settings


async def upload_list(
    client: Client,
    batch_id: str,
    path: Path,
    arguments: argparse.Namespace,
    line: ProgressLine,
) -> int:
    """Send a file, launch its batch, tell how it was read; return how many entries there are."""
    size = path.stat().st_size

    def acked(reply: upload_file_pb2.UploadFileResponse) -> None:
        sent = f"uploaded {reply.size_bytes:,}/{size:,} bytes"
        line.say(f"read {reply.entry_count:,} rows" if reply.entry_count else sent)

    with path.open("rb") as source:
        reply = await client.upload_file(
            batch_id, source, file_settings(path, arguments), launch=True, acked=acked
        )
    line.clear()
    if not arguments.quiet:
        tell_reading(path.name, reply.reading)
    return reply.batch.entry_count


def tell_reading(name: str, reading: upload_file_pb2.FileReading) -> None:
    """Say on standard error how a file was understood, and what is odd in it."""
    column = ""
    if reading.column_index < len(reading.column_names):
        column = f", column {reading.column_names[reading.column_index]!r}"
    counts = f"{reading.rows_kept:,} of {reading.rows_read:,} rows kept"
    bad = f", {reading.rows_bad:,} bad" if reading.rows_bad else ""
    print(f"{name}: {reading.kind}{column}, {counts}{bad}", file=sys.stderr)
    for odd in reading.samples[:3]:
        print(f"  row {odd.row_number:,}: {odd.reason}: {odd.text!r}", file=sys.stderr)
