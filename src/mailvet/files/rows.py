"""The values of reading: what is asked of a file, its rows, and how the reading went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mailvet.files.limits import BAD_ROW_SAMPLES, SAMPLE_TEXT_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read a file; what is None is found out."""

    encoding: str | None = None
    """A codec name such as `iso-8859-2`; a byte order mark wins over it."""
    delimiter: str | None = None
    """One character; `tab` and `\\t` are understood too."""
    line_ending: str | None = None
    """`crlf`, `lf` or `cr`: only that ends a line of text; None takes each of them for an end."""
    header: bool | None = None
    column: str | int | None = None
    """A name from the header, or a zero-based index."""
    sheet: str | int | None = None
    """A sheet's name, or a zero-based index; None is the first visible sheet with content."""
    first_row: int = 1
    """The first row to look at, counted from 1, as spreadsheets do; the header is in it."""
    last_row: int | None = None
    """The last row to read, inclusive."""
    phone_column: str = ""
    """The column with phone numbers to look at; empty for none."""
    phone_country: str = ""
    """Of numbers without a country code; empty for the one the batch is aimed at."""


class RawRow(NamedTuple):
    """One row as the file has it."""

    number: int
    """Counted from 1, the header and blank rows included; embedded newlines do not count."""
    cells: list[str]
    remark: str = ""
    """What had to be put up with, such as a stray quote."""


class FileRow(NamedTuple):
    """One row with an address."""

    address: str
    row_number: int
    """Counted from 1, as people see it in the file."""
    columns: Mapping[str, str]
    """The other cells by the name of their column, in the file's order."""


class BadRow(NamedTuple):
    """A row that was left out or put up with, for people to look up."""

    row_number: int
    reason: str
    text: str
    """The beginning of the row."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """How a file was understood, and how far reading it got; final when its rows are through."""

    name: str
    kind: str
    """`lines`, `delimited`, `xlsx`, `xlsb`, `xls` or `ods`."""
    encoding: str = ""
    encoding_reason: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int | None = None
    column_names: tuple[str, ...] = ()
    column: int = 0
    """Zero-based index of the address column."""
    column_reason: str = ""
    rows_read: int = 0
    """Rows after the header, blank ones too."""
    rows_kept: int = 0
    rows_blank: int = 0
    """Rows with nothing in any cell."""
    rows_bad: int = 0
    """Rows left out, though something is in them."""
    rows_repaired: int = 0
    """Rows kept, though something was wrong with them."""
    samples: list[BadRow] = field(default_factory=list)
    """The first few rows that were bad or repaired."""

    @property
    def column_name(self) -> str:
        """The name of the address column, made up when there is no header."""
        return self.column_names[self.column] if self.column < len(self.column_names) else ""

    def note(self, row: RawRow, reason: str) -> None:
        """Keep a sample of a row, if there is room."""
        if len(self.samples) < BAD_ROW_SAMPLES:
            text = " | ".join(row.cells[:20])[:SAMPLE_TEXT_CHARACTERS]
            self.samples.append(BadRow(row.number, reason, text))

    def summary(self) -> str:
        """One line for people."""
        parts = [self.kind]
        parts += [f"sheet {self.sheet!r}"] if self.sheet else []
        parts += [self.encoding] if self.encoding else []
        parts += [f"delimiter {self.delimiter!r}"] if self.delimiter else []
        parts += [f"column {self.column_name!r} ({self.column_reason})"]
        parts += [f"{self.rows_kept:,} of {self.rows_read:,} rows kept"]
        parts += [f"{self.rows_blank:,} blank"] if self.rows_blank else []
        parts += [f"{self.rows_bad:,} bad"] if self.rows_bad else []
        parts += [f"{self.rows_repaired:,} repaired"] if self.rows_repaired else []
        return f"{self.name}: {', '.join(parts)}"
