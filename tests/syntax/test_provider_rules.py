"""Names that providers never hand out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.address import Address
from mailvet.model.status import EntryStatus
from mailvet.syntax import check_provider_syntax, parse
from mailvet.syntax.provider_rules import _check
from mailvet.syntax.providers import PROVIDERS
from tests.syntax.cases import table

CASES = table("local_parts")
ACCEPTED = [text for rows in CASES.values() for text in rows["accepted"]]
REFUSED = [row for rows in CASES.values() for row in rows["refused"]]


def address(text: str) -> Address:
    """The address that the text must be."""
    found = parse(text)
    assert isinstance(found, Address), found
    return found


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    """A name that the provider hands out has no fault."""
    assert check_provider_syntax(address(text)) is None


@pytest.mark.parametrize(("text", "index"), REFUSED)
def test_refused(text: str, index: int) -> None:
    """A name that the provider never hands out has the provider's status and an index."""
    fault = check_provider_syntax(address(text))
    assert fault is not None
    assert (EntryStatus.ISP_SPECIFIC_SYNTAX_FAILURE, index) == (fault.status, fault.index)


def test_reason_names_the_provider() -> None:
    """The reason says whose rule is broken and which."""
    fault = check_provider_syntax(address("ann_lee@gmail.com"))
    assert fault is not None
    assert "Gmail has no names with '_'." == fault.reason


@given(
    st.sampled_from(sorted(PROVIDERS)),
    st.from_regex(r"[aZ0_-][aZ09_.+-]{0,24}[a9_-]?", fullmatch=True),
)
def test_one_step_changes_nothing(domain: str, name: str) -> None:
    """The match of a whole name in one step never accepts what the rules one by one refuse."""
    if PROVIDERS[domain].plain.fullmatch(name):
        assert _check(PROVIDERS[domain], name) is None
