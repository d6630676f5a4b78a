"""Who runs an exchanger."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.lists import operator_of
from mailvet.lists.rows import read_document
from tests.cases import names, rows


@pytest.mark.parametrize("row", rows("exchangers"), ids=names("exchangers"))
def test_an_exchanger_has_its_operator(row: dict[str, Any]) -> None:
    """Every row of the table gets its operator and category, or none."""
    operator = operator_of(row["hosts"])
    expected = (row["operator"], row["category"]) if "operator" in row else None
    assert expected == (operator and (operator.name, operator.category))


def test_no_exchanger_has_no_operator() -> None:
    """An empty answer of DNS names nobody."""
    assert operator_of(()) is None


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_host_names_get_an_answer(hosts: list[str]) -> None:
    """Whatever a zone holds, nothing raises."""
    operator_of(hosts)


def test_a_suffix_stands_in_the_table_once() -> None:
    """No suffix belongs to two operators, and none is a single label."""
    document = read_document("exchangers")
    suffixes = [
        suffix
        for category, table in document.items()
        if isinstance(table, dict) and category != "trademarks"
        for names_ in table.values()
        for suffix in names_.split()
    ]
    assert [] == sorted({suffix for suffix in suffixes if suffixes.count(suffix) > 1})
    assert [] == [suffix for suffix in suffixes if "." not in suffix]


def test_every_trademark_has_an_operator() -> None:
    """A trademark's name is that of an operator in the table above it."""
    document = read_document("exchangers")
    categories = [table for table in document.values() if isinstance(table, dict)]
    operators = {name for table in categories[:-1] for name in table}
    assert [] == [name for name in document["trademarks"] if name not in operators]
