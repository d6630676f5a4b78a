"""Telling duplicates and domains, without a store."""

from hypothesis import given
from hypothesis import strategies as st

from mailvet.store.sifting import Sifting

ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "a.example", "b.example"])))


@given(ENTRIES)
def test_every_entry_is_found_once(entries: list[tuple[int, str]]) -> None:
    """As a duplicate of an entry before it with its key, without a domain, or at its domain."""
    found = Sifting(len(entries))
    half = len(entries) // 2
    for run in (range(half), range(half, len(entries))):
        found.see(run, [entries[i][0] for i in run], [entries[i][1] for i in run])
    order = found.by_domain()
    assert order is not None
    assert sorted([*found.duplicates, *found.without, *order]) == list(range(len(entries)))
    for index, original in zip(found.duplicates, found.originals, strict=True):
        key = entries[index][0]
        assert key
        assert original == min(i for i, entry in enumerate(entries) if entry[0] == key) < index
    assert not any(entries[index][1] for index in found.without)
    assert list(order) == sorted(order, key=lambda index: (entries[index][1], index))
    assert set(found.duplicates) == {i for i in range(len(entries)) if found.is_repeat(i)}


def test_more_domains_than_fit_make_no_order() -> None:
    """What has no domain and what repeats is told all the same."""
    found = Sifting(4, max_domains=1)
    found.see([0, 1, 2, 3], [1, 2, 3, 2], ["a.example", "b.example", "", "b.example"])
    assert found.by_domain() is None
    assert ([3], [1], [2]) == tuple(map(list, (found.duplicates, found.originals, found.without)))
