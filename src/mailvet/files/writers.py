"""Results as a file: one of seven formats, in our own words or a vendor's, in input order.

Records go through one by one, so memory stays flat (XLS apart). Formulas are neutralised in
tables only: JSON and XML have the texts exactly as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from mailvet.files.cells import cell, reach
from mailvet.files.dialects import OWN, BatchFacts, Dialect, Duplicates, Tally
from mailvet.files.documents import json_document, json_lines, xml_document
from mailvet.files.plain import Found, Record
from mailvet.files.readers import AddressList
from mailvet.files.refusal import FileRefused
from mailvet.files.rows import RawRow
from mailvet.files.spool import Answers
from mailvet.files.tables import CsvTable, Table, XlsTable, XlsxTable

FORMATS = ("csv", "tsv", "xlsx", "xls", "json", "jsonl", "xml")
TABLES = frozenset({"csv", "tsv", "xlsx", "xls"})
_SUFFIXES = {f".{name}": name for name in FORMATS} | {".ndjson": "jsonl"}
NO_FACTS = BatchFacts()


def format_of(name: str) -> str:
    """Return the format that a file's name asks for; raises FileRefused when it asks for none."""
    found = _SUFFIXES.get(Path(name).suffix.lower())
    if found is None:
        raise FileRefused(name, f"its name tells no format: say one of {', '.join(FORMATS)}")
    return found


def same_form(kind: str) -> str:
    """Return the format in which a list of some kind (`Reading.kind`) is written again."""
    if kind in ("xlsx", "xlsb", "ods"):
        return "xlsx"
    return "xls" if kind == "xls" else "csv"


def write_results(
    results: Answers,
    out: BinaryIO,
    form: str,
    dialect: Dialect = OWN,
    *,
    facts: BatchFacts = NO_FACTS,
    escape: bool = True,
) -> int:
    """Write results in a format of FORMATS; returns how many records there are.

    `escape` puts an apostrophe before CSV cells that a spreadsheet would run.
    """
    tally = Tally()
    records = _records(results, dialect, tally)
    if form in TABLES:
        table = _table(form, out, escape=escape)
        table.row(dialect.columns)
        for record in records:
            table.row([cell(reach(record, path)) for path in dialect.columns])
        table.close()
    else:
        out.writelines(
            text.encode("utf-8", "replace")
            for text in _document(form, records, dialect, facts, tally)
        )
    return tally.count


def write_beside(
    listed: AddressList,
    results: Answers,
    out: BinaryIO,
    dialect: Dialect = OWN,
    *,
    first_index: int = 0,
    escape: bool = True,
    only_answered: bool = False,
) -> int:
    """Write an uploaded list again with the dialect's `additions` behind each row; returns how
    many rows have an answer.

    The format is that of the list: text keeps delimiter and encoding (plain lines become CSV),
    XLS stays XLS, other workbooks become XLSX. `first_index` is the entry that the list's first
    address became. Rows without an address stay, with nothing added, and so do those without an
    answer, unless `only_answered`.
    """
    table = _same_kind(listed, out, escape=escape)
    width = len(listed.reading.column_names)
    for row in listed.above:
        table.row(row.cells)
    if listed.reading.header_row is not None or listed.reading.kind == "lines":
        table.row([*listed.reading.column_names, *_unique(dialect.additions, listed)])
    count, index = 0, first_index
    for row, address in listed.table():
        if not address:
            if not only_answered:
                table.row(row.cells)
            continue
        found, index = results.get(index), index + 1
        if (only_answered and found is None) or (found and _is_dropped(found, dialect)):
            continue
        count += found is not None
        table.row([*_padded(row, width), *_additions(found, results, dialect)])
    table.close()
    return count


def _records(results: Answers, dialect: Dialect, tally: Tally) -> Iterator[Record]:
    for found in results:
        if _is_dropped(found, dialect):
            continue
        record = dialect.record(_said(found, results, dialect))
        if record is not None:
            tally.add(found)
            yield record


def _is_dropped(found: Record, dialect: Dialect) -> bool:
    return dialect.duplicates is Duplicates.DROP and found["duplicate_of"] is not None


def _said(found: Record, results: Answers, dialect: Dialect) -> Found:
    if dialect.duplicates is Duplicates.REPEAT:
        return results.with_original(found)
    return found


def _document(
    form: str, records: Iterator[Record], dialect: Dialect, facts: BatchFacts, tally: Tally
) -> Iterator[str]:
    if form == "jsonl":
        return json_lines(records)
    if form == "json":
        behind = dialect.behind
        return json_document(records, dialect.items, dialect.before(facts), lambda: behind(tally))
    if form == "xml":
        return xml_document(records, dialect.xml_root, dialect.xml_item)
    raise FileRefused(form, f"there is no such format: say one of {', '.join(FORMATS)}")


def _table(form: str, out: BinaryIO, *, escape: bool) -> Table:
    if form in ("csv", "tsv"):
        return CsvTable(out, delimiter="\t" if form == "tsv" else ",", escape=escape)
    return _workbook(form, out)


def _workbook(form: str, out: BinaryIO) -> Table:
    kinds: dict[str, Callable[[BinaryIO], Table]] = {"xlsx": XlsxTable, "xls": XlsTable}
    return kinds[form](out)


def _same_kind(listed: AddressList, out: BinaryIO, *, escape: bool) -> Table:
    reading = listed.reading
    form = same_form(reading.kind)
    if form != "csv":
        return _workbook(form, out)
    delimiter = reading.delimiter or ","
    return CsvTable(out, delimiter=delimiter, codec=reading.encoding, escape=escape)


def _unique(names: Sequence[str], listed: AddressList) -> list[str]:
    taken = set(listed.reading.column_names)
    return [f"{name}_2" if name in taken else name for name in names]


def _padded(row: RawRow, width: int) -> list[str]:
    """The row's own cells, as many as there are columns, so that the added ones are in line."""
    return (row.cells + [""] * (width - len(row.cells)))[:width]


def _additions(
    found: Record | None, results: Answers, dialect: Dialect
) -> list[str | int | float | bool]:
    record = dialect.record(_said(found, results, dialect)) if found else None
    return [cell(reach(record or {}, name)) for name in dialect.additions]
