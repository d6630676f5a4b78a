"""The table of providers is sound."""

import re

from mailvet.model.address import Address
from mailvet.syntax import parse
from mailvet.syntax.providers import PROVIDERS

ROWS = {row.name: row for row in PROVIDERS.values()}


def test_a_domain_has_one_provider() -> None:
    """No domain stands in two rows or twice in one."""
    assert sum(len(row.domains) for row in ROWS.values()) == len(PROVIDERS)


def test_domains_are_as_sent() -> None:
    """Every domain is a valid name in the spelling of DNS."""
    for domain in PROVIDERS:
        found = parse(f"postmaster@{domain}")
        assert isinstance(found, Address)
        assert domain == found.domain.ascii


def test_rows_can_be_kept() -> None:
    """Every row has a source and lengths that fit a local part."""
    for row in ROWS.values():
        assert len(row.source) > 20
        assert 1 <= row.min_length < row.max_length <= 64


def test_tag_signs_leave_a_name() -> None:
    """A sign in front starts no tag, the first one inside does."""
    yahoo = PROVIDERS["yahoo.com"]
    assert ("-a", "") == yahoo.split_tag("-a")
    assert ("a", "b+c") == yahoo.split_tag("a-b+c")
    assert ("a", "b-c") == yahoo.split_tag("a+b-c")


def test_characters_compile() -> None:
    """The characters of every row make a character class."""
    for row in ROWS.values():
        for characters in (row.first, row.middle, row.last, row.tag_characters):
            assert re.fullmatch(f"[{characters}]", "a")
