"""docs/files.md names every format and dialect there is."""

from pathlib import Path

from mailvet.files.dialects import DIALECTS, OWN

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")


def test_every_dialect_is_described() -> None:
    """Each has a row of the table; ours needs none."""
    named = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert set(DIALECTS) - {OWN.name} == named


def test_every_format_is_named() -> None:
    """By the name people know it by."""
    for name in ("CSV", "TSV", "XLSX", "XLS", "JSON", "JSON Lines", "XML"):
        assert f" {name}," in PAGE
