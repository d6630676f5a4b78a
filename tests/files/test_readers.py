"""Lists of addresses of every kind, each awkward in its own way."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailvet.files import FileRefused, ReadOptions, open_list
from mailvet.files.limits import BAD_ROW_SAMPLES
from tests.files.corpus import RECIPES

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "files.toml").read_text("utf-8")
)["case"]
READINGS = ("kind", "encoding", "delimiter", "sheet", "header_row", "column")
COUNTS = ("rows_read", "rows_kept", "rows_blank", "rows_bad", "rows_repaired")


def build(case: dict[str, Any], folder: Path) -> Path:
    """The case's file."""
    path = folder / str(case["file"])
    made = case.get("make")
    text = case.get("text", "")
    path.write_bytes(RECIPES[made]() if made else text.encode(case.get("encoding", "utf-8")))
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_file_is_read_as_its_row_says(case: dict[str, Any], tmp_path: Path) -> None:
    """Addresses, how the file was understood, and the counts; or a refusal in these words."""
    path = build(case, tmp_path)
    options = ReadOptions(**case.get("options", {}))
    if "refused" in case:
        with pytest.raises(FileRefused) as refused, open_list(path, options) as listed:
            list(listed)
        assert str(refused.value).startswith(f"{case['file']}: ")
        assert case["refused"] in str(refused.value)
        return
    with open_list(path, options) as listed:
        rows = list(listed)
    reading = listed.reading
    assert case.get("addresses", [row.address for row in rows]) == [row.address for row in rows]
    for name in (*READINGS, *COUNTS):
        if name in case:
            assert (name, case[name]) == (name, getattr(reading, name))
    if "columns" in case:
        assert case["columns"].items() <= dict(rows[0].columns).items()
    if "row_numbers" in case:
        assert case["row_numbers"] == [row.row_number for row in rows]
    assert case.get("last_address") in (None, rows[-1].address if rows else None)
    assert reading.rows_read == reading.rows_kept + reading.rows_blank + reading.rows_bad


def test_every_recipe_is_used() -> None:
    """No file of the corpus is made for nothing, save the heavy one."""
    used = {case["make"] for case in CASES if "make" in case}
    assert {"xlsx 300 MiB"} == set(RECIPES) - used


def test_samples_of_bad_rows_are_few(tmp_path: Path) -> None:
    """However many rows are bad, the first few are told, with number, reason and text."""
    path = tmp_path / "bad.csv"
    path.write_text("n,email\n" + "1,a@a.test\n" + "2,\n" * 1000)
    with open_list(path) as listed:
        list(listed)
    assert (1000, BAD_ROW_SAMPLES) == (listed.reading.rows_bad, len(listed.reading.samples))
    first = listed.reading.samples[0]
    assert (3, "2 | ") == (first.row_number, first.text)
    assert "1 of 1,001 rows kept, 1,000 bad" in listed.reading.summary()


def test_a_file_that_is_not_read_to_its_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """The reading process ends with the list."""
    path = tmp_path / "list.xlsx"
    path.write_bytes(RECIPES["xlsx"]())
    with open_list(path) as listed:
        first = next(iter(listed))
    assert "ann@a.test" == first.address


@pytest.mark.slow
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """300 MiB of XML are refused by what the directory declares."""
    path = tmp_path / "list.xlsx"
    path.write_bytes(RECIPES["xlsx 300 MiB"]())
    with pytest.raises(FileRefused, match="larger than 256 MiB"):
        open_list(path)


@pytest.mark.slow
@pytest.mark.timeout(600)  # half a minute of a processor that is ours alone, traced as it is
def test_a_million_rows_take_no_memory(tmp_path: Path) -> None:
    """Text is streamed: the peak does not grow with the file."""
    import tracemalloc

    path = tmp_path / "long.csv"
    with path.open("w") as out:
        out.write("id,email,note\n")
        out.writelines(f"{n},user{n}@a.test,some note\n" for n in range(1_000_000))
    tracemalloc.start()
    with open_list(path) as listed:
        count = sum(1 for _ in listed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1_000_000 == count
    assert peak < 4 << 20
