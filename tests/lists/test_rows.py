"""How list files are written."""

import pytest

from mailvet.lists.rows import expand, read_bundled


def test_braces_stand_for_several_names() -> None:
    """`name.{a,b}` is `name.a name.b`, in lower case, among plain names."""
    assert ["x.test", "y.com", "y.co.uk", "z"] == list(expand("X.test y.{com,co.uk}\n z"))


@pytest.mark.parametrize("name", ["free", "masked", "organisations", "allow", "disposable"])
def test_every_row_is_a_domain(name: str) -> None:
    """Our files hold lower-case domains with a dot, and say source, licence and day."""
    file = read_bundled(name)
    rows = frozenset[str]().union(*file.tables.values())
    assert [] == [row for row in rows if "." not in row or row != row.strip("{}.,@ ").lower()]
    assert file.source
    assert file.licence
    assert "2026-11-21" <= file.date
