"""`mailvet verify` with tables and workbooks."""

from pathlib import Path

import pytest

from tests.cli.run import json_lines, mailvet, write
from tests.files.corpus import xls, xlsx

TABLE = (("Name", "E-Mail"), ("Ann", "user1@cli.test"), ("Bob", "nobody@cli.test"))
CSV = "\n".join(",".join(row) for row in TABLE).encode()
FILES = {
    "list.csv": CSV,
    "list.tsv": CSV.replace(b",", b"\t"),
    "list.xlsx": xlsx({"S": TABLE}),
    "list.xls": xls(TABLE),
}


@pytest.mark.parametrize("name", FILES)
def test_the_column_of_addresses_is_found(network: list[str], tmp_path: Path, name: str) -> None:
    """Whatever the kind of file, its addresses are answered; how it was read is told."""
    path = write(tmp_path / name, FILES[name])
    done = mailvet("verify", *network, "--json", path)
    assert ["SUCCESS", "MAILBOX_DOES_NOT_EXIST"] == [
        one["status"] for one in json_lines(done.stdout)
    ]
    assert "column 'E-Mail' (its name" in done.stderr
    assert "2 of 2 rows kept" in done.stderr


def test_standard_input_may_be_a_workbook(network: list[str]) -> None:
    """`-` takes what a file takes."""
    done = mailvet("verify", *network, "--json", "--quiet", "-", stdin=FILES["list.xlsx"])
    assert (0, 2, "") == (done.returncode, len(json_lines(done.stdout)), done.stderr)


def test_flags_say_how_to_read(network: list[str], tmp_path: Path) -> None:
    """Column by number from 1, delimiter, encoding and header."""
    content = "Jürgen:x:user1@cli.test\n".encode("latin2")
    path = write(tmp_path / "list", content)
    flags = ("--delimiter", ":", "--column", "3", "--encoding", "latin2", "--no-header")
    (found,) = json_lines(mailvet("verify", *network, "--json", *flags, path).stdout)
    assert ("user1@cli.test", "SUCCESS") == (found["input_data"], found["status"])


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--column", "Mobile"), "there is no column 'Mobile': it has 'Name', 'E-Mail'"),
        (("--column", "9"), "there is no column number 9"),
        (("--column", "0"), "counted from 1, there is no 0"),
        (("--sheet", "Leads"), "there is no sheet 'Leads': it has 'S'"),
    ],
)
def test_what_is_not_in_the_file_is_said(tmp_path: Path, flags: tuple[str, ...], told: str) -> None:
    """One sentence with the way out, and nothing is verified."""
    done = mailvet("verify", *flags, write(tmp_path / "list.xlsx", FILES["list.xlsx"]))
    assert (1, "", True) == (done.returncode, done.stdout, told in done.stderr)
