"""`mailvet export`: a batch's results as a file, in our words or a vendor's."""

import argparse
import sys
from pathlib import Path

from mailvet.cli.remote import remote_client
from mailvet.cli.show import ProgressLine
from mailvet.client import Client
from mailvet.errors import ConfigError
from mailvet.loop import run
from mailvet.v1 import export_pb2, result_service_pb2, status_pb2

STANDARD_OUTPUT = "-"
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".xlsx": "xlsx",
    ".xls": "xls",
    ".json": "json",
    ".jsonl": "json-lines",
    ".ndjson": "json-lines",
    ".xml": "xml",
}


def export(arguments: argparse.Namespace) -> int:
    """Write one batch into a file, or to standard output when none is named."""
    request = export_request(arguments)
    request.batch_id = arguments.batch_id
    run(_export(arguments, request))
    return 0


def export_request(arguments: argparse.Namespace) -> result_service_pb2.ExportResultsRequest:
    """Return what the flags ask for, without the batch; raises `ConfigError`."""
    form = _name(arguments.format or _by_suffix(arguments))
    dialect = _name(arguments.dialect or "unspecified")
    return result_service_pb2.ExportResultsRequest(
        format=export_pb2.ExportFormat.Value(f"EXPORT_FORMAT_{form}"),
        dialect=export_pb2.ExportDialect.Value(f"EXPORT_DIALECT_{dialect}"),
        columns=arguments.columns.split(",") if arguments.columns else [],
        filter=result_service_pb2.ResultFilter(
            classifications=[_classification(word) for word in arguments.only or ()]
        ),
        keep_formulas=arguments.keep_formulas,
    )


async def write_export(
    client: Client,
    arguments: argparse.Namespace,
    request: result_service_pb2.ExportResultsRequest,
    line: ProgressLine,
) -> export_pb2.ExportedFile:
    """Write the file that the flags name; it appears under its name only when it is whole."""

    def progressed(prepared: int, size: int) -> None:
        line.say(f"{size:,} bytes" if size else f"{prepared:,} results prepared")

    if arguments.output in (None, STANDARD_OUTPUT):
        return await client.export(request, sys.stdout.buffer, progressed=progressed)
    path = Path(arguments.output)
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("wb") as out:
            file = await client.export(request, out, progressed=progressed)
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
        line.clear()
    return file


async def _export(
    arguments: argparse.Namespace, request: result_service_pb2.ExportResultsRequest
) -> None:
    line = ProgressLine()
    async with remote_client(arguments) as client:
        file = await write_export(client, arguments, request, line)
    if arguments.output not in (None, STANDARD_OUTPUT):
        told = f"{file.record_count:,} records, {file.size_bytes:,} bytes"
        print(f"{arguments.output}: {told}", file=sys.stderr)


def _by_suffix(arguments: argparse.Namespace) -> str:
    if arguments.output in (None, STANDARD_OUTPUT):
        return "csv"
    found = _SUFFIXES.get(Path(arguments.output).suffix.lower())
    if found is None:
        raise ConfigError(f"the name {arguments.output!r} tells no format: say --format")
    return found


def _name(word: str) -> str:
    return word.upper().replace("-", "_")


def _classification(word: str) -> "status_pb2.Classification.ValueType":
    try:
        return status_pb2.Classification.Value("CLASSIFICATION_" + _name(word))
    except ValueError:
        raise ConfigError(
            f"{word!r} is no classification: write deliverable, risky, undeliverable or unknown"
        ) from None
