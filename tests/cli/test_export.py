"""`mailvet export` and `mailvet verify --output`, with a server."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from tests.cli.run import json_lines, mailvet, server

ADDRESSES = ("user1@cli.test", "nobody@cli.test", "a@@b")
STATUSES = ["SUCCESS", "MAILBOX_DOES_NOT_EXIST", "INVALID_CHARACTER_IN_SEQUENCE"]


@pytest.fixture(name="target", scope="module")
def _target(network: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("serve"), *network) as target:
        yield target


@pytest.fixture(name="batch_id", scope="module")
def _batch_id(target: str) -> str:
    """A batch that has ended."""
    mailvet("verify", "--target", target, "--quiet", *ADDRESSES)
    newest = json_lines(mailvet("batches", "--target", target, "--json").stdout)[0]
    return str(newest["batch_id"])


def test_a_batch_is_written_in_the_format_of_the_name(
    target: str, batch_id: str, tmp_path: Path
) -> None:
    """The file appears whole, nothing beside it, and one line tells what is in it."""
    path = tmp_path / "out.xlsx"
    done = mailvet("export", batch_id, "--target", target, "--output", str(path))
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert (0, ["input_data", *ADDRESSES]) == (done.returncode, [row[1] for row in rows])
    assert f"{path}: 3 records, {path.stat().st_size:,} bytes" == done.stderr.strip()
    assert [path] == list(tmp_path.iterdir())


def test_without_a_name_it_goes_to_standard_output(target: str, batch_id: str) -> None:
    """As CSV, in the columns that were asked for."""
    done = mailvet("export", batch_id, "--target", target, "--columns", "index,status")
    assert [
        "index,status",
        *(f"{n},{s}" for n, s in enumerate(STATUSES)),
    ] == done.stdout.splitlines()


def test_a_dialect_and_a_filter(target: str, batch_id: str) -> None:
    """In the vendor's words, and only what was asked for."""
    flags = ("--format", "json", "--dialect", "whoisxml", "--only", "undeliverable")
    done = mailvet("export", batch_id, "--target", target, *flags)
    (item,) = json.loads(done.stdout)["response"]
    assert ("nobody@cli.test", "bad") == (item["emailAddress"], item["result"])


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--output", "x.docx"), "tells no format"),
        (("--only", "good"), "is no classification"),
        (("--columns", "colour"), "there is no such column"),
        (("--output", "/nowhere/x.csv"), "cannot write"),
    ],
)
def test_what_cannot_be_written_is_told(
    target: str, batch_id: str, flags: tuple[str, ...], told: str
) -> None:
    """In one sentence, without a trace."""
    done = mailvet("export", batch_id, "--target", target, *flags)
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_writes_a_file(network: list[str], tmp_path: Path) -> None:
    """In one go, with a server of its own, and prints no table."""
    out = tmp_path / "out.csv"
    done = mailvet("verify", *network, "--output", str(out), *ADDRESSES)
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert (0, "", STATUSES) == (done.returncode, done.stdout, [row["status"] for row in rows])


def test_a_file_comes_back_with_columns_added(network: list[str], tmp_path: Path) -> None:
    """With its own columns and delimiter; how it was read is told."""
    path, out = tmp_path / "list.csv", tmp_path / "out.csv"
    path.write_text("Name;Mail\nAnn;user1@cli.test\nnone;\nBob;nobody@cli.test\n")
    flags = ("--output", str(out), "--format", "uploaded-file", "--columns", "status")
    done = mailvet("verify", *network, *flags, "--column", "2", str(path))
    rows = [
        "Name;Mail;status",
        f"Ann;user1@cli.test;{STATUSES[0]}",
        "none;",
        f"Bob;nobody@cli.test;{STATUSES[1]}",
    ]
    assert rows == out.read_text().splitlines()
    assert "list.csv: delimited, column 'Mail', 2 of 3 rows kept, 1 bad" in done.stderr


def test_columns_of_a_file_are_in_the_export(network: list[str], tmp_path: Path) -> None:
    """Under `labels`."""
    path, out = tmp_path / "list.csv", tmp_path / "out.json"
    path.write_text("Name,Mail\nAnn,user1@cli.test\n")
    mailvet("verify", *network, "--quiet", "--output", str(out), str(path))
    assert [{"Name": "Ann"}] == [found["labels"] for found in json.loads(out.read_text())]
