"""Which data lists there are: name, source, licence, date and number of rows of each."""

from functools import cache
from typing import NamedTuple

from mailvet.lists.membership import Lists
from mailvet.lists.rows import ListFile, read_bundled

_ALWAYS = ("exchangers", "typos")
"""Knowledge that an operator's folder cannot change."""


class ListSource(NamedTuple):
    """One list and where it comes from."""

    name: str
    source: str
    licence: str
    date: str
    """ISO 8601 day; empty when the source tells none."""
    row_count: int


def inventory(lists: Lists) -> list[ListSource]:
    """Return every list in force by name, one of several sources once for each."""
    found = [
        ListSource(each.name, each.source, each.licence, each.date, len(each.rows))
        for each in (*lists.domain_lists, *([lists.optout] if lists.optout else []))
    ]
    return sorted([*found, _of_file(lists.role_file), *_unchanging()])


@cache
def _unchanging() -> tuple[ListSource, ...]:
    return tuple(_of_file(read_bundled(name)) for name in _ALWAYS)


def _of_file(file: ListFile) -> ListSource:
    rows = sum(len(table) for table in file.tables.values())
    return ListSource(file.name, file.source, file.licence, file.date, rows)
