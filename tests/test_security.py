"""docs/security.md names tests that exist, and leaves out no rule."""

import re

import pytest

from tests.pages import ROOT, functions_of, names_of_tests

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
RULES = {f"S{n}" for n in range(1, 31)}


def rows() -> dict[str, str]:
    """What stands behind each rule."""
    return dict(re.findall(r"^\| (S\d+) \|(.*)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize(("path", "test"), names_of_tests(PAGE))
def test_a_named_test_exists(path: str, test: str) -> None:
    """It stands in that file, under that name."""
    assert test in functions_of(path)


def test_every_rule_is_shown() -> None:
    """Each has its row, and the row a test."""
    assert RULES == rows().keys()
    assert set() == {name for name, row in rows().items() if "::test_" not in row}
