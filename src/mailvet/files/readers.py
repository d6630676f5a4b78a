"""Any file with a list of addresses, as rows: what it is and how it is laid out is found out.

Text is streamed; of a workbook only the rows under way are in this process.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from types import TracebackType

from mailvet.files import kinds
from mailvet.files.delimited import delimiter_of, read_delimited, sniff
from mailvet.files.layout import Layout, find_layout
from mailvet.files.limits import SAMPLE_ROWS
from mailvet.files.lines import TOO_LONG, read_lines
from mailvet.files.refusal import FileRefused
from mailvet.files.rows import FileRow, RawRow, Reading, ReadOptions
from mailvet.files.text import ending_of, find_encoding
from mailvet.files.workbook import Workbook

DEFAULTS = ReadOptions()
_DELIMITED_SUFFIXES = {".csv": "", ".tsv": "\t", ".tab": "\t", ".psv": "|", ".dsv": ""}
NO_ADDRESS = "there is nothing in the column of addresses"


class AddressList:
    """A list of addresses in a file: iterate once over it, or over `table` for every row.

    `reading` tells at once how the file was understood, and its counts when it is read through.
    Use it with `with`: a reading process may stand behind it.
    """

    def __init__(
        self, reading: Reading, layout: Layout, rows: Iterator[RawRow], book: Workbook | None
    ) -> None:
        self.reading = reading
        self._layout = layout
        self._rows = rows
        self._book = book
        self.above: list[RawRow] = []
        """Rows above the header: titles, dates."""

    def __enter__(self) -> "AddressList":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._book:
            self._book.close()

    def __iter__(self) -> Iterator[FileRow]:
        """Yield the rows that have an address, in the file's order."""
        names, column = self._layout.names, self._layout.column
        for row, address in self.table():
            if address:
                yield FileRow(address, row.number, _others(row.cells, names, column))

    def table(self) -> Iterator[tuple[RawRow, str]]:
        """Yield every row below the header and its address, which is empty where there is none."""
        lines = self.reading.kind == kinds.LINES
        for row in self._rows:
            yield row, self._taken(row, lines=lines)

    def _taken(self, row: RawRow, *, lines: bool) -> str:
        """Count the row and return its address; of a plain line, that is all of it."""
        reading, column = self.reading, self._layout.column
        reading.rows_read += 1
        cell = row.cells[column] if column < len(row.cells) else ""
        if cell.strip() and row.remark != TOO_LONG:
            reading.rows_kept += 1
            if row.remark:
                reading.rows_repaired += 1
                reading.note(row, row.remark)
            return cell if lines else cell.strip()
        if any(map(str.strip, row.cells)):
            reading.rows_bad += 1
            reading.note(row, row.remark or NO_ADDRESS)
        else:
            reading.rows_blank += 1
        return ""


def open_list(path: Path, options: ReadOptions = DEFAULTS, *, name: str = "") -> AddressList:
    """Open a list of addresses of any kind; `name` is what people call the file.

    A name that ends in .csv, .tsv, .tab, .psv or .dsv, an option that only tables have, or rows
    that leave no doubt make text a table; other text is one address a line. Raises FileRefused
    with the way out, OSError when the file cannot be opened.
    """
    name = name or path.name
    kind = kinds.kind_of(path, name)
    if options.first_row < 1 or (options.last_row or options.first_row) < options.first_row:
        raise FileRefused(name, "rows are counted from 1, and the last is not before the first")
    if kind == kinds.TEXT:
        return _open_text(path, options, name)
    book = Workbook(path, options.sheet, name)
    try:
        reading = Reading(name=name, kind=kind, sheet=book.sheet)
        return _laid_out(reading, book.rows(), options, book)
    except FileRefused:
        book.close()
        raise


def _open_text(path: Path, options: ReadOptions, name: str) -> AddressList:
    if options.sheet is not None:
        raise FileRefused(name, "it is text and has no sheets")
    codec, why = find_encoding(path, options.encoding, name)
    reading = Reading(name=name, kind=kinds.LINES, encoding=codec, encoding_reason=why)
    ending = ending_of(options.line_ending, name)
    delimiter = _delimiter(path, codec, options, name, ending)
    if delimiter:
        reading.kind, reading.delimiter = kinds.DELIMITED, delimiter
        rows = read_delimited(path, codec, delimiter, name, ending)
        return _laid_out(reading, rows, options)
    reading.column_names, reading.column_reason = ("line",), "the whole line"
    layout = Layout(None, reading.column_names, 0, reading.column_reason)
    return AddressList(reading, layout, _within(read_lines(path, codec, ending), options), None)


def _delimiter(path: Path, codec: str, options: ReadOptions, name: str, ending: str) -> str:
    """The delimiter of a table, empty for plain lines."""
    if options.delimiter:
        return delimiter_of(options.delimiter, name)
    suffix = Path(name).suffix.lower()
    found, certain = sniff(path, codec, ending)
    if certain:
        return found
    if suffix in _DELIMITED_SUFFIXES:
        return _DELIMITED_SUFFIXES[suffix] or found
    return found if options.column is not None or options.header else ""


def _laid_out(
    reading: Reading, rows: Iterator[RawRow], options: ReadOptions, book: Workbook | None = None
) -> AddressList:
    rows = _within(rows, options)
    sample = list(islice(rows, SAMPLE_ROWS))
    if not any(cell.strip() for row in sample for cell in row.cells):
        options = replace(options, column=None if isinstance(options.column, str) else 0)
    layout = find_layout(sample, options, reading.name)
    reading.column_names, reading.column = layout.names, layout.column
    reading.column_reason = layout.reason
    begin = 0
    if layout.header_at is not None:
        reading.header_row = sample[layout.header_at].number
        begin = layout.header_at + 1
    listed = AddressList(reading, layout, chain(sample[begin:], rows), book)
    listed.above = sample[: max(begin - 1, 0)]
    return listed


def _within(rows: Iterator[RawRow], options: ReadOptions) -> Iterator[RawRow]:
    """The rows from the first to the last that are asked for."""
    for row in rows:
        if options.last_row is not None and row.number > options.last_row:
            return
        if row.number >= options.first_row:
            yield row


def _others(cells: list[str], names: tuple[str, ...], column: int) -> dict[str, str]:
    """The other cells by name; cells beyond the known columns are named by their number."""
    found = dict(zip(names, cells, strict=False))
    if len(cells) > len(names):
        found |= {f"column_{at + 1}": cells[at] for at in range(len(names), len(cells))}
    if column < len(names):
        found.pop(names[column], None)
    return found
