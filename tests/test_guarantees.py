"""docs/guarantees.md names tests that exist, and leaves out no fault."""

import re

import pytest

from tests.pages import ROOT, functions_of, names_of_tests

PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
NAMED = names_of_tests(PAGE)
FAULTS = [*range(1, 24), *range(26, 31)]
"""R24 and R25 are of a database elsewhere, which there is not."""


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_a_named_test_exists(path: str, test: str) -> None:
    """It stands in that file, under that name."""
    assert test in functions_of(path)


def test_every_promise_is_shown() -> None:
    """Each invariant and each fault has its row, and the row a test."""
    rows = dict(re.findall(r"^\| ([IR]\d+) \|(.*)$", PAGE, re.MULTILINE))
    assert {f"I{n}" for n in range(1, 9)} | {f"R{n}" for n in FAULTS} == rows.keys()
    without = {name for name, row in rows.items() if "::test_" not in row}
    assert not without


def test_every_fault_test_is_on_the_page() -> None:
    """What breaks the service on purpose stands on the page, so that nobody writes it twice."""
    there = {
        (f"tests/faults/{path.name}", name)
        for path in (ROOT / "tests" / "faults").glob("test_*.py")
        for name in functions_of(f"tests/faults/{path.name}")
        if name.startswith("test_")
    }
    missing = there - set(NAMED)
    assert not missing, f"docs/guarantees.md has no word on {missing}: add them to a row"
