"""The contract, for entries over which processes die; over every store."""

from mailvet.store.base import Store
from mailvet.store.suspects import SUSPECT
from tests.store.samples import SPEC, TENANT, entry, finish, indexes_of, launched, settled

KILLER = 5
"""The entry over which whoever works on it dies, before anything is settled."""


async def live(store: Store, owner: str) -> bool:
    """Work until there is nothing more, or until the killer comes; whether that was so."""
    while claims := await store.claim(owner, max_entries=7):
        for claim in claims:
            if KILLER in indexes_of([claim]) and not claim.poisoned:
                await store.let_go(owner, died=True)
                return True
        await store.settle([settled(claim) for claim in claims])
    return False


async def test_an_entry_that_kills_is_found_and_given_up(store: Store) -> None:
    """After some deaths it is alone, and nobody works on it; its neighbours have their answers."""
    await launched(store, 20)
    died = 0
    while await live(store, f"w{died}"):
        died += 1
    page = await store.results_after(TENANT, "b1", 0, limit=100)

    assert list(range(20)) == sorted(row.entry_index for row in page.rows)
    assert died <= SUSPECT + 3  # a chunk has four entries: halved twice, and its own


async def test_only_what_kills_is_poisoned(store: Store) -> None:
    """What was held beside it is given out again, and found harmless."""
    await launched(store, 20)
    given_up = []
    for life in range(20):
        owner = f"w{life}"
        claims = await store.claim(owner, max_entries=100)
        given_up += indexes_of([claim for claim in claims if claim.poisoned])
        harmful = [c for c in claims if KILLER in indexes_of([c]) and not c.poisoned]
        if not harmful:
            await store.settle([settled(claim) for claim in claims])
        await store.let_go(owner, died=bool(harmful))

    assert [KILLER] == given_up
    assert [] == await store.claim("w", max_entries=100)


async def test_of_suspects_one_is_out_at_a_time(store: Store) -> None:
    """So that the next death is its own; what is no suspect is given out beside it."""
    await launched(store, 8)
    for life in range(SUSPECT):
        await store.claim(f"w{life}", max_entries=100)
        await store.let_go(f"w{life}", died=True)
    await launched(store, 4, "b2")
    (first,) = await store.claim("w", max_entries=100)
    beside = await store.claim("w", max_entries=100)

    assert {first.batch_key} != {claim.batch_key for claim in beside}
    assert 4 == len(indexes_of(beside))
    assert [] == await store.claim("w", max_entries=100)
    await store.settle([settled(first)])
    (second,) = await store.claim("w", max_entries=100)
    assert first.batch_key == second.batch_key


async def test_halves_have_all_entries_of_a_chunk_and_what_they_repeat(store: Store) -> None:
    """A duplicate stays one."""
    some = [entry("a", key=7) for _ in range(4)]
    await store.create_batch(TENANT, "b1", SPEC, some, launch=True)
    await store.plan_launched()
    claims = await store.claim("w", max_entries=100)
    await store.settle([settled(one) for one in claims if one.entries[0].duplicate_of is None])
    await store.let_go("w")
    for life in range(SUSPECT + 1):
        await store.claim(f"w{life}", max_entries=100)
        await store.let_go(f"w{life}", died=True)
    halves = []
    while claims := await store.claim("w", max_entries=100):
        halves += claims
        await store.settle([settled(claim) for claim in claims])

    assert 2 == len(halves)
    assert [1, 2, 3] == sorted(indexes_of(halves))
    assert {0} == {each.duplicate_of for claim in halves for each in claim.entries}


async def test_who_drains_did_not_die(store: Store) -> None:
    """However often work is handed back, it is no suspect."""
    await launched(store, 8)
    for life in range(10):
        claims = await store.claim(f"w{life}", max_entries=100)
        assert 8 == len(indexes_of(claims))
        await store.let_go(f"w{life}")
    await finish(store)
