"""How results and progress look: JSON objects, CSV rows, a table, a live line."""

import csv
import shutil
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any, TextIO

from google.protobuf.message import Message

from mailvet.cli.lines import json_line, printable
from mailvet.v1 import batch_pb2, result_pb2

CSV_COLUMNS = (
    "input_data",
    "status",
    "classification",
    "risk_score",
    "email_address",
    "explanation",
    "suggestions",
    "provider_type",
    "mail_provider",
    "is_disposable",
    "is_free",
    "is_role_account",
    "is_catch_all",
    "duplicate_of",
)
STATUS_WIDTH = 32
"""Fits all but the three longest names; a table of wider columns would not fit a terminal."""
_COLOURS = {"DELIVERABLE": "32", "RISKY": "33", "UNDELIVERABLE": "31", "UNKNOWN": "36"}


def as_dict(message: Message) -> dict[str, Any]:
    """Return a message as JSON shows it here: snake_case names, enum values without prefix,
    times as RFC 3339, bytes in base64; unset optional fields and unspecified enums are null."""
    return {field.name: _value(message, field) for field in message.DESCRIPTOR.fields}


def _value(message: Message, field: Any) -> Any:
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            kind = field.message_type.fields_by_name["value"]
            return {str(key): _plain(item, kind) for key, item in value.items()}
        return [_plain(item, field) for item in value]
    return _plain(value, field)


def _plain(value: Any, field: Any) -> Any:
    if field.enum_type is not None:
        return _enum_name(value, field)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if field.message_type is None:
        return value
    if field.message_type.full_name in (
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
    ):
        return value.ToJsonString()
    return as_dict(value)


def _enum_name(number: int, field: Any) -> str | None:
    enum = field.enum_type
    known = enum.values_by_number.get(number)
    if known is None:
        return str(number)  # a newer server's value
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return None if number == 0 else known.name.removeprefix(prefix)


def result_dict(result: result_pb2.Result, *, evidence: bool = False) -> dict[str, Any]:
    """Return a result as a dict; without evidence unless asked."""
    found = as_dict(result)
    if not evidence:
        del found["evidence"]
    return found


class ResultPrinter:
    """Prints results in input order, however they arrive."""

    def __init__(
        self,
        style: str,
        *,
        evidence: bool = False,
        out: TextIO | None = None,
        quiet: bool = False,
    ) -> None:
        """`style` is `json`, `csv` or `table`; `quiet` only counts, and prints nothing."""
        self._quiet = quiet
        self._out = out or sys.stdout
        self._style = style
        self._evidence = evidence
        self._next = 0
        self.count = 0
        """How many results there were so far."""
        self._early: dict[int, str] = {}
        self._colour = style == "table" and self._out.isatty()
        if style == "csv" and not quiet:
            self._csv().writerow(CSV_COLUMNS)

    def add(self, result: result_pb2.Result) -> None:
        """Print the result, or keep its line until those before it are there."""
        self.count += 1
        if self._quiet:
            return
        self._early[result.index] = self._line(result)
        while self._next in self._early:
            self._out.write(self._early.pop(self._next))
            self._next += 1

    def finish(self) -> None:
        """Print what is left (a cancelled batch has holes)."""
        for index in sorted(self._early):
            self._out.write(self._early[index])
        self._early.clear()
        self._out.flush()

    def _line(self, result: result_pb2.Result) -> str:
        found = result_dict(result, evidence=self._evidence)
        if self._style == "json":
            return json_line(found) + "\n"
        if self._style == "csv":
            return _csv_line(found)
        return self._row(found)

    def _row(self, found: dict[str, Any]) -> str:
        classification = found["classification"] or "-"
        word = f"{classification:<13}"
        if self._colour and classification in _COLOURS:
            word = f"\x1b[{_COLOURS[classification]}m{word}\x1b[0m"
        hint = f"  did you mean {found['suggestions'][0]}?" if found["suggestions"] else ""
        told = printable(f"{found['input_data']:<28}  {found['explanation']}{hint}")
        return f"{word} {found['status']:<{STATUS_WIDTH}} {told}\n"

    def _csv(self) -> Any:
        return csv.writer(self._out, lineterminator="\n")


def _csv_line(found: dict[str, Any]) -> str:
    parts: list[str] = []

    class _Into:
        write = staticmethod(parts.append)

    values = (found[name] for name in CSV_COLUMNS)
    csv.writer(_Into(), lineterminator="\n").writerow([_cell(value) for value in values])
    return "".join(parts)


def _cell(value: Any) -> Any:
    """A CSV cell; what a spreadsheet would take for a formula is made text."""
    if isinstance(value, list):
        value = " ".join(str(item) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@", "\t", "\r", "|"):
        return "'" + value
    return value


class ProgressLine:
    """A live line on standard error; silent when that is no terminal."""

    def __init__(self, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._on = sys.stderr.isatty() and not quiet
        self._clock = clock
        self._drawn_at = 0.0
        self._shown = False

    def update(self, progress: batch_pb2.Progress, *, force: bool = False) -> None:
        """Redraw, at most ten times a second."""
        if not self._on or (not force and self._clock() - self._drawn_at < 0.1):
            return
        self._drawn_at = self._clock()
        self._write(progress_text(progress))

    def say(self, text: str) -> None:
        """Show a plain text."""
        if self._on:
            self._write(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def _write(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\x1b[K" + text[:width])
        sys.stderr.flush()
        self._shown = True


def progress_text(progress: batch_pb2.Progress, *, bar_width: int = 24) -> str:
    """One line: a bar, rate, remaining time, what holds it up, counts."""
    total = progress.entry_count - progress.removed_count
    done = progress.result_count
    filled = bar_width * done // total if total else 0
    parts = [f"[{'#' * filled}{'.' * (bar_width - filled)}] {done:,}/{total:,}"]
    if progress.active_count:
        parts.append(f"{progress.active_count:,} under way")
    if progress.rate:
        parts.append(f"{progress.rate:,.0f}/s")
    if progress.HasField("remaining_time"):
        parts.append(f"{progress.remaining_time.seconds:,} s left")
    if progress.waiting_count:
        parts.append(_waiting_text(progress))
    parts += [hindrance.kind for hindrance in progress.hindrances]
    # In the order of the enum, not of the counts: a place must not change while one looks.
    for count in sorted(progress.classifications, key=lambda one: one.classification):
        if name := count_name(count):
            parts.append(f"{name.lower()} {count.count:,}")
    return "  ".join(parts)


def _waiting_text(progress: batch_pb2.Progress) -> str:
    text = f"{progress.waiting_count:,} waiting for a retry"
    if progress.HasField("next_attempt_time"):
        text += f" (next {progress.next_attempt_time.ToDatetime(UTC):%H:%M:%S} UTC)"
    return text


def count_name(message: Message) -> str:
    """The prefixless name of a count's enum field."""
    field = message.DESCRIPTOR.fields[0]
    return _enum_name(getattr(message, field.name), field) or ""


def summary(progress: batch_pb2.Progress, seconds: float) -> Iterable[str]:
    """Lines that sum a batch up."""
    rate = progress.result_count / seconds if seconds else 0
    yield f"{progress.result_count:,} answers in {seconds:.1f} s ({rate:,.0f}/s)"
    for count in progress.statuses:
        yield f"  {count.count:>9,}  {count_name(count)}"
