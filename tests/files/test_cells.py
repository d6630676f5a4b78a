"""What keeps a cell from being run as a formula."""

import pytest

from mailvet.files.cells import is_formula_like, neutral

DANGEROUS = [
    *("=1+1", "+1", "-1", "@SUM(1)", "|cmd", "\t=1", "\r=1", "\t", " =1", "\u00a0=x"),
    *("\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\ufeff=1", "\u200b=1", "\n=1"),
]
HARMLESS = ["", "a=1", "ann@b.test", "1-2", "a\nb", "\u00fc=", "'=1", '"=1"', "(=1)"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_may_run_is_marked(text: str) -> None:
    """With an apostrophe, behind which nothing is changed."""
    assert is_formula_like(text)
    marked = neutral(text)
    assert "'" == marked[0]
    assert text == marked.replace("'", "")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_cannot_run_stays(text: str) -> None:
    """Character by character."""
    assert not is_formula_like(text)
    assert text == neutral(text)


@pytest.mark.parametrize("text", ["a\n=1", "a\r\n  +1", "a\r@x", "1\n-1"])
def test_every_line_of_a_cell_is_looked_at(text: str) -> None:
    """Who reads embedded line ends as rows sees a cell begin there."""
    assert is_formula_like(text)
    assert text == neutral(text).replace("'", "")
    assert 1 == neutral(text).count("'")
