"""Tables out: CSV, XLSX and XLS, row by row, with nothing in them that is run as a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from mailvet.files.cells import is_formula_like, neutral
from mailvet.files.refusal import FileRefused

Cell = str | int | float | bool
XLSX_ROWS, XLS_ROWS = 1_048_576, 65_536
"""What a sheet of each format has (ECMA-376, MS-XLS); the next rows go on a next sheet."""
XLS_COLUMNS = 256
XLS_MAX_CELLS = 4_000_000
"""Its texts are all in memory until the end: 300 bytes each, 1.2 GB in the writing process."""
CELL_CHARACTERS = 32_767
"""The most a cell of a spreadsheet holds; the rest of a longer text is cut."""
_FLUSH_ROWS = 1_000
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format has no zone
"""Never the time of day: the same results make the same bytes, so a download can be resumed."""


class Table(Protocol):
    """A table that is being written; the first row is its header."""

    def row(self, cells: Sequence[Cell]) -> None:
        """Write the next row."""

    def close(self) -> None:
        """Write what is left; the stream itself stays open."""


class CsvTable:
    """CSV as RFC 4180 has it, or with another delimiter; `escape` neutralises formulas."""

    def __init__(
        self, out: BinaryIO, *, delimiter: str = ",", codec: str = "utf-8", escape: bool = True
    ) -> None:
        self._text = io.TextIOWrapper(out, codec, errors="replace", newline="", write_through=False)
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
        self._escape = escape

    def row(self, cells: Sequence[Cell]) -> None:
        """Write the next row."""
        self._writer.writerow([self._shown(each) for each in cells])

    def close(self) -> None:
        """Write what is buffered."""
        self._text.flush()
        self._text.detach()

    def _shown(self, value: Cell) -> Cell:
        if isinstance(value, bool):
            return str(value).lower()
        return neutral(value) if self._escape and isinstance(value, str) else value


class XlsxTable:
    """XLSX with flat memory. Texts are written as texts, never as formulas or links; one that
    looks like a formula also gets the quote prefix, so that editing its cell does not run it."""

    def __init__(self, out: BinaryIO) -> None:
        import xlsxwriter

        self._book = xlsxwriter.Workbook(out, {"constant_memory": True})
        self._book.use_zip64()
        self._book.set_properties({"created": _CREATED})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._sheet: Any = None
        self._next = 0
        self._header: Sequence[Cell] | None = None

    def row(self, cells: Sequence[Cell]) -> None:
        """Write the next row, on a next sheet when this one is full."""
        if self._sheet is None or self._next == XLSX_ROWS:
            self._turn_page()
        self._header = self._header or cells
        self._write(cells)

    def close(self) -> None:
        """Pack the sheets into the stream."""
        if self._sheet is None:
            self._turn_page()
        self._book.close()

    def _turn_page(self) -> None:
        self._sheet, self._next = self._book.add_worksheet(), 0
        if self._header is not None:
            self._write(self._header)

    def _write(self, cells: Sequence[Cell]) -> None:
        for at, value in enumerate(cells):
            if value == "":
                continue
            if isinstance(value, bool):
                self._sheet.write_boolean(self._next, at, value)
            elif isinstance(value, str):
                form = self._quoted if is_formula_like(value) else None
                self._sheet.write_string(self._next, at, value[:CELL_CHARACTERS], form)
            else:
                self._sheet.write_number(self._next, at, value)
        self._next += 1


class XlsTable:
    """Excel 97: 65,536 rows a sheet, texts always as texts."""

    def __init__(self, out: BinaryIO, *, max_cells: int = XLS_MAX_CELLS) -> None:
        import xlwt

        self._out = out
        self._max_cells = max_cells
        self._book = xlwt.Workbook(encoding="utf-8")
        self._sheet: Any = None
        self._next = 0
        self._count = 0
        self._header: Sequence[Cell] | None = None

    def row(self, cells: Sequence[Cell]) -> None:
        """Write the next row; raises FileRefused beyond what the format or memory takes."""
        self._count += len(cells) - cells.count("")
        if self._count > self._max_cells or len(cells) > XLS_COLUMNS:
            raise FileRefused(
                "xls",
                f"it takes {self._max_cells:,} cells in {XLS_COLUMNS} columns: choose xlsx",
            )
        if self._sheet is None or self._next == XLS_ROWS:
            self._turn_page()
        self._header = self._header or cells
        self._write(cells)

    def close(self) -> None:
        """Write the workbook into the stream."""
        if self._sheet is None:
            self._turn_page()
        self._book.save(self._out)
        for sheet in self._sheets():
            if sheet.row_tempfile:  # which xlwt leaves open
                sheet.row_tempfile.close()

    def _sheets(self) -> Any:
        return self._book._Workbook__worksheets  # noqa: SLF001 - nothing public has them

    def _turn_page(self) -> None:
        count = len(self._sheets())
        self._sheet, self._next = self._book.add_sheet(f"Sheet{count + 1}"), 0
        if self._header is not None:
            self._write(self._header)

    def _write(self, cells: Sequence[Cell]) -> None:
        for at, value in enumerate(cells):
            if value != "":
                shown = value[:CELL_CHARACTERS] if isinstance(value, str) else value
                self._sheet.write(self._next, at, shown)
        self._next += 1
        if self._next % _FLUSH_ROWS == 0:
            self._sheet.flush_row_data()
