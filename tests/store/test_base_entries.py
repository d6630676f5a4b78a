"""The contract, for the entries of a batch; over every store."""

import pytest

from mailvet.errors import NotFound, WrongState
from mailvet.model.batch import BatchSpec, Entry
from mailvet.model.status import Deduplication
from mailvet.store.base import Store
from tests.store.samples import SPEC, TENANT, entries, entry

MIXED = [
    entry("a", key=7),
    entry("b", key=8),
    entry("a", key=7),
    entry("c", key=0),
    entry("c", key=0),
    entry("wrong", "", key=9),
    entry("wrong", "", key=9),
    entry("worse", "", key=0),
]


async def test_entries_are_read_by_their_indexes(store: Store) -> None:
    """In the order asked, whole; what is not there is left out."""
    some = [*entries(5), Entry("x@example.org", "c", "example.org", 3, '{"a":"b"}')]
    await store.create_batch(TENANT, "b1", SPEC, some)
    found = await store.entries_at(TENANT, "b1", [5, 0, 3, 99])
    assert [some[5], some[0], some[3]] == found


@pytest.mark.parametrize("more", [99, 100, 101, 250])
async def test_entries_have_their_places_however_many_come_at_once(store: Store, more: int) -> None:
    """Behind those that are there, each whole."""
    some = [
        Entry(f"user{number}@a.example", f"c{number}", "a.example", number, f'{{"n":"{number}"}}')
        for number in range(3 + more)
    ]
    await store.create_batch(TENANT, "b1", SPEC, some[:3])
    assert 3 + more == await store.append_entries(TENANT, "b1", 3, some[3:])
    assert some == await store.entries_at(TENANT, "b1", range(3 + more))


async def test_an_entry_is_found_by_its_own_key(store: Store) -> None:
    """The first that has it, in its batch only."""
    await store.create_batch(TENANT, "b0", SPEC, [entry("z", custom="k")])
    some = [entry("a"), entry("b", custom="k"), entry("c", custom="k")]
    await store.create_batch(TENANT, "b1", SPEC, some)
    assert 1 == await store.find_custom(TENANT, "b1", "k")
    with pytest.raises(NotFound):
        await store.find_custom(TENANT, "b1", "K")


@pytest.mark.parametrize(
    ("mode", "expected"), [(Deduplication.SAFE, (4, 2, 2)), (Deduplication.OFF, (5, 0, 3))]
)
async def test_entries_are_counted_as_they_will_be_worked_on(
    store: Store, mode: Deduplication, expected: tuple[int, int, int]
) -> None:
    """Unique, duplicates, wrong: as the plan of the launched batch has them."""
    await store.create_batch(TENANT, "b1", BatchSpec(deduplication=mode), MIXED)
    counts = await store.count_entries(TENANT, "b1")
    await store.launch_batch(TENANT, "b1")
    await store.plan_launched()
    work = [one for c in await store.claim("w", max_entries=100) for one in c.entries]
    repeats = [one for one in work if one.duplicate_of is not None]
    assert expected == counts[:3]
    assert (len(MIXED), len(repeats)) == (len(work), counts.duplicates)


async def test_a_draft_gets_other_keys(store: Store) -> None:
    """From an index on; a batch that was launched does not."""
    await store.create_batch(TENANT, "b1", SPEC, entries(4))
    await store.rekey_entries(TENANT, "b1", 1, [5, 6, 5])
    assert (3, 1, 0) == (await store.count_entries(TENANT, "b1"))[:3]
    await store.launch_batch(TENANT, "b1")
    with pytest.raises(WrongState):
        await store.rekey_entries(TENANT, "b1", 0, [1])


async def test_entries_of_a_stranger_are_missing(store: Store) -> None:
    """For every method."""
    await store.create_batch(TENANT, "b1", SPEC, [entry("a", custom="k")])
    for call in (
        store.entries_at("other", "b1", [0]),
        store.find_custom("other", "b1", "k"),
        store.count_entries("other", "b1"),
        store.rekey_entries("other", "b1", 0, [1]),
        store.relabel_entries("other", "b1", 0, [""]),
    ):
        with pytest.raises(NotFound):
            await call
