"""Which local parts name a function."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.lists import load_lists
from tests.cases import names, rows

_CLASSIFY = load_lists().classify


@pytest.mark.parametrize("row", rows("role_names"), ids=names("role_names"))
def test_functions_are_told_from_people(row: dict[str, Any]) -> None:
    """Every local part of the table is a role account, or is not, as its row says."""
    wrong = [
        local_part
        for local_part in row["local_parts"]
        if row["role"] is not _CLASSIFY(local_part, "example.com").is_role_account
    ]
    assert [] == wrong


@given(st.text(max_size=64))
def test_any_text_gets_an_answer(local_part: str) -> None:
    """No local part, however odd, raises."""
    assert _CLASSIFY(local_part, "example.com").is_role_account in (True, False)


@given(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.sampled_from(["sales", "info", "press"]))
def test_an_initial_before_a_word_is_a_person(initial: str, word: str) -> None:
    """One letter and a family name never make a role, even where the name is a function."""
    assert not _CLASSIFY(f"{initial}.{word}", "example.com").is_role_account
