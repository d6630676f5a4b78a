"""Texts that are domains, where a caller lets them be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.address import Address, SyntaxFault
from mailvet.model.status import EntryStatus
from mailvet.syntax import bare_domain, domain_key, parse
from tests.cases import names, rows


@pytest.mark.parametrize("row", rows("bare_domains"), ids=names("bare_domains"))
def test_the_table(row: dict[str, Any]) -> None:
    """A domain is read as in an address, and `parse` finds no address in it."""
    found = bare_domain(row["text"])

    assert row["domain"] == (found.ascii if found is not None else "")
    if found is not None:
        fault = parse(row["text"])
        assert isinstance(fault, SyntaxFault)
        assert EntryStatus.AT_SIGN_NOT_FOUND is fault.status


@given(st.text(max_size=80))
def test_a_domain_is_what_stands_behind_an_at_sign(text: str) -> None:
    """What is a domain alone is one in an address, and the other way round."""
    found = bare_domain(text)
    address = parse(f"a@{text.strip()}")

    assert found is None or (isinstance(address, Address) and address.domain == found)


def test_the_key_of_a_domain_is_no_address() -> None:
    """An address and its domain are never duplicates of each other."""
    found = bare_domain("example.com")
    assert found is not None

    assert isinstance(parse(domain_key(found)), SyntaxFault)
