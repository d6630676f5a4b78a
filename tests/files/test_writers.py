"""Files out: every format read back by another library, and what must not happen in them."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from python_calamine import CalamineWorkbook

from mailvet.files import FileRefused, ReadOptions, open_list
from mailvet.files.dialects import DIALECTS, own
from mailvet.files.plain import FIELDS
from mailvet.files.tables import CELL_CHARACTERS, XLS_ROWS, XlsTable
from mailvet.files.writers import FORMATS, format_of, write_beside, write_results
from mailvet.model.result import Result
from tests.files.results import answers, result

AWKWARD = [
    '=cmd|"/c calc"!A1@e.com',
    "+1@e.com",
    "\u00a0=x",
    "a\n=b",
    'say "hi", ok',
    "ünï@ex.test",
]


def some(*texts: str) -> list[Result]:
    """A result for each text."""
    return [result(index=at, input_data=text) for at, text in enumerate(texts)]


def written(form: str, results: list[Result], **options: object) -> bytes:
    """The file's bytes."""
    out = io.BytesIO()
    write_results(answers(results), out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def table(data: bytes) -> Sequence[Sequence[object]]:
    """The rows of a workbook's first sheet."""
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_csv_reads_back_and_runs_nothing(form: str, delimiter: str) -> None:
    """RFC 4180: CR LF, quotes doubled; a formula has an apostrophe before it, on every line."""
    text = written(form, some(*AWKWARD)).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    shown = [row["input_data"] for row in rows]
    expected = ["'" + AWKWARD[0], "'+1@e.com", "'\u00a0=x", "a\n'=b", *AWKWARD[4:]]
    assert expected == shown
    assert FIELDS == tuple(rows[0])


def test_csv_is_left_alone_when_asked() -> None:
    """Without the apostrophes every text is as it came in."""
    text = written("csv", some(*AWKWARD), escape=False).decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    assert AWKWARD == [row["input_data"] for row in rows]


@pytest.mark.parametrize("form", ["xlsx", "xls"])
def test_workbooks_keep_texts_as_texts(form: str) -> None:
    """No cell is a formula, numbers are numbers, and nothing is put before a text."""
    rows = table(written(form, some(*AWKWARD)))
    at = FIELDS.index("input_data")
    assert list(FIELDS) == rows[0]
    assert AWKWARD == [row[at] for row in rows[1:]]
    assert [0.0, 1.0] == [row[0] for row in rows[1:3]]


def test_json_has_the_texts_exactly() -> None:
    """JSON and JSON Lines never alter a text; a line is a line for everybody."""
    results = some(*AWKWARD, "a\u2028b")
    document = json.loads(written("json", results))
    lines = [json.loads(line) for line in written("jsonl", results).decode().splitlines()]
    assert [*AWKWARD, "a\u2028b"] == [found["input_data"] for found in document]
    assert document == lines


def test_xml_has_the_texts_exactly() -> None:
    """Escaped where XML needs it; what XML cannot have at all is a replacement character."""
    root = ElementTree.fromstring(written("xml", some(*AWKWARD, "<a & b>\r\n", "bell\x07")))
    found = [each.findtext("input_data") for each in root]
    assert [*AWKWARD, "<a & b>\r\n", "bell\ufffd"] == found


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_results_make_the_same_bytes(form: str) -> None:
    """Whatever the order they came in and the time of day."""
    results = some(*AWKWARD)
    assert written(form, results) == written(form, results[::-1])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_goes_into_every_format(form: str, dialect: str) -> None:
    """Also when there is nothing to write."""
    empty = written(form, [], dialect=DIALECTS[dialect])
    filled = written(form, some("a@a.test", "nothing"), dialect=DIALECTS[dialect])
    assert (form == "jsonl") == (not empty)
    assert empty != filled or dialect == "whoisxml-failed"


def test_own_columns_are_chosen() -> None:
    """Fields and labels, in the order that was asked for."""
    out = io.BytesIO()
    found = answers(some("a@a.test"), {0: {"First name": "Ann", "x": "y"}})
    write_results(found, out, "csv", own(["labels.First name", "status", "input_data"]))
    assert (
        "labels.First name,status,input_data\r\nAnn,SUCCESS,a@a.test\r\n" == out.getvalue().decode()
    )


def test_labels_are_columns_of_the_full_export() -> None:
    """Behind the fields of the result; in JSON they are an object."""
    labels = {0: {"Name": "Ann"}}
    out = io.BytesIO()
    write_results(answers(some("a@a.test"), labels), out, "csv", own(labels=["Name"]))
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode(), newline=""))
    assert ("Ann", "labels.Name") == (row["labels.Name"], list(row)[-1])
    out = io.BytesIO()
    write_results(answers(some("a@a.test"), labels), out, "jsonl")
    assert {"Name": "Ann"} == json.loads(out.getvalue())["labels"]


def test_a_column_that_is_none_is_refused() -> None:
    """With the names of those that are."""
    with pytest.raises(FileRefused, match=r"labels\.NAME or one of index, input_data"):
        own(["colour"])


def test_a_long_text_is_cut_for_a_sheet_only() -> None:
    """A cell holds 32,767 characters."""
    (_, row) = table(written("xlsx", some("a" * 40_000)))
    assert CELL_CHARACTERS == len(str(row[1]))
    assert "a" * 40_000 in written("csv", some("a" * 40_000)).decode()


def test_the_name_of_a_file_tells_its_format() -> None:
    """By its suffix, whatever the case; else it must be said."""
    names = ("a.CSV", "b.tsv", "c.xlsx", "d.xls", "e.json", "f.jsonl", "g.ndjson", "h.xml")
    forms = ["csv", "tsv", "xlsx", "xls", "json", "jsonl", "jsonl", "xml"]
    assert forms == [format_of(name) for name in names]
    with pytest.raises(FileRefused, match="say one of csv"):
        format_of("list.docx")


def beside(tmp_path: Path, name: str, content: bytes, dialect: str = "mailvet") -> bytes:
    """A list and the answers to its addresses, as one file."""
    path = tmp_path / name
    path.write_bytes(content)
    with open_list(path) as listed:
        texts = [row.address for row in listed]
    out = io.BytesIO()
    with open_list(path) as listed:
        write_beside(listed, answers(some(*texts)), out, DIALECTS[dialect])
    return out.getvalue()


def test_columns_are_added_to_the_file_that_was_uploaded(tmp_path: Path) -> None:
    """Same delimiter, same encoding, same rows: those without an address too."""
    content = "Liste\r\nName;E-Mail\r\nJürgen;j@a.test\r\nohne;\r\n=1;k@b.test\r\n".encode("cp1252")
    text = beside(tmp_path, "list.csv", content, "user-cleaning").decode("cp1252")
    expected = [
        "Liste",
        "Name;E-Mail;category;domain_type",
        "Jürgen;j@a.test;grey;unknown",
        "ohne;",
        "'=1;k@b.test;grey;unknown",
    ]
    assert expected == text.splitlines()


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_workbook_stays_a_workbook(tmp_path: Path, suffix: str) -> None:
    """Its rows, and the added columns behind them."""
    first = io.BytesIO()
    write_results(
        answers(some("a@a.test", "b@b.test")), first, suffix, own(["input_data", "index"])
    )
    rows = table(beside(tmp_path, f"list.{suffix}", first.getvalue(), "user-cleaning"))
    assert ["input_data", "index", "category", "domain_type"] == rows[0]
    assert ["a@a.test", "b@b.test"] == [row[0] for row in rows[1:]]
    assert ["grey", "grey"] == [row[2] for row in rows[1:]]


def test_plain_lines_become_a_table(tmp_path: Path) -> None:
    """There are no columns to add to lines."""
    text = beside(tmp_path, "list.txt", b"a@a.test\nnothing\n").decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert ["line", "status", "classification"] == rows[0][:3]
    assert [["a@a.test", "SUCCESS"], ["nothing", "SUCCESS"]] == [row[:2] for row in rows[1:]]


def test_a_table_written_beside_reads_back_as_a_list(tmp_path: Path) -> None:
    """What comes out can go in again."""
    data = beside(tmp_path, "list.csv", b"Name,Email\nAnn,a@a.test\n")
    path = tmp_path / "again.csv"
    path.write_bytes(data)
    with open_list(path, ReadOptions(column="Email")) as listed:
        (row,) = listed
    assert ("a@a.test", "SUCCESS") == (row.address, row.columns["status"])


def test_a_workbook_of_old_has_limits() -> None:
    """Its format has 256 columns, and memory has an end."""
    table = XlsTable(io.BytesIO(), max_cells=9)
    table.row(["x", "", "y"] * 4)
    with pytest.raises(FileRefused, match="takes 9 cells in 256 columns: choose xlsx"):
        table.row(["x", "z"])
    with pytest.raises(FileRefused, match="choose xlsx"):
        table.row([""] * 257)


def test_a_full_sheet_goes_on_in_the_next() -> None:
    """With the header again: 65,536 rows are a sheet of Excel 97."""
    out = io.BytesIO()
    sheets = XlsTable(out)
    for number in range(XLS_ROWS + 1):
        sheets.row([number])
    sheets.close()
    book = CalamineWorkbook.from_filelike(io.BytesIO(out.getvalue()))
    assert [65_536, 2] == [book.get_sheet_by_name(name).height for name in book.sheet_names]
    assert [[0.0], [65_536.0]] == book.get_sheet_by_index(1).to_python()
