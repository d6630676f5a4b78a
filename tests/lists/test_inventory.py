"""Which data lists there are."""

import re

from mailvet.lists import inventory, load_lists


def test_every_list_says_where_it_comes_from() -> None:
    """Source, licence and rows always; a day, or the version of the package that has none."""
    for one in inventory(load_lists()):
        assert one.source
        assert one.licence
        assert one.row_count > 0
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", one.date) or re.search(r" \d+\.", one.source)


def test_a_name_comes_once_for_each_source() -> None:
    """Disposable domains come from two packages and from us."""
    found = inventory(load_lists())
    assert 3 == sum(one.name == "disposable" for one in found)
    assert len(found) == len({(one.name, one.source) for one in found})
