"""What every store promises about usage and balances."""

from pathlib import Path

import pytest

from mailvet.errors import InsufficientBalance
from mailvet.model.batch import BatchSpec, Settlement
from mailvet.model.status import BatchState, EntryStatus, QualityLevel
from mailvet.model.usage import DAY_S, Charge, DayUsage, Usage, day_of
from mailvet.store.base import Store
from tests.store.samples import (
    SPEC,
    TENANT,
    Clock,
    deferred,
    entries,
    entry,
    finish,
    indexes_of,
    launched,
    open_sqlite,
    row,
    settled,
)

HIGH = BatchSpec(quality=QualityLevel.HIGH)


async def used(store: Store, clock: Clock, tenant: str = TENANT) -> Usage:
    """What a tenant used today."""
    today = day_of(clock.now)
    found = await store.daily_usage(tenant, today, today, limit=10)
    return found[0].usage if found else Usage()


async def test_a_result_is_charged_when_it_is_kept(store: Store, clock: Clock) -> None:
    """By its quality; another tenant is charged nothing."""
    await launched(store, 6, spec=HIGH)
    assert Usage() == await used(store, clock)
    await finish(store)

    assert Usage(verified=6, halves=24) == await used(store, clock)
    assert Usage() == await used(store, clock, "other")


async def test_a_late_settlement_charges_nothing(store: Store, clock: Clock) -> None:
    """A fence that was passed changes the ledger as little as the results."""
    await launched(store, 4)
    (claim,) = await store.claim("dead", max_entries=4)
    clock.advance(1_000)
    await store.reap()
    await finish(store)
    assert [False] == await store.settle([settled(claim)])
    assert [False] == await store.settle([settled(claim)])

    assert Usage(verified=4, halves=8) == await used(store, clock)


async def test_an_entry_named_twice_is_charged_once(store: Store, clock: Clock) -> None:
    """As it has one result only."""
    await launched(store, 2)
    (claim,) = await store.claim("w", max_entries=4)
    await store.settle([Settlement(claim, [row(0), row(0), row(1)], [])])

    assert Usage(verified=2, halves=4) == await used(store, clock)


async def test_what_waits_is_not_charged_yet(store: Store, clock: Clock) -> None:
    """A deferral costs nothing, the answer at last once."""
    await launched(store, 2)
    (claim,) = await store.claim("w", max_entries=4)
    await store.settle([deferred(claim, [0, 1], clock.now + 60)])
    assert Usage() == await used(store, clock)
    clock.advance(61)
    await finish(store)

    assert Usage(verified=2, halves=4) == await used(store, clock)


async def test_kinds_of_answers_are_told_apart(store: Store, clock: Clock) -> None:
    """Free ones, those from memory, our own faults, in batches of several levels at once."""
    await launched(store, 4, "b1")
    await launched(store, 4, "b2", HIGH)
    statuses = (
        EntryStatus.SUCCESS,
        EntryStatus.SUCCESS,
        EntryStatus.AT_SIGN_NOT_FOUND,
        EntryStatus.UNHANDLED_EXCEPTION,
    )
    claims = await store.claim("w", max_entries=100)
    await store.settle(
        [
            Settlement(
                claim,
                [row(index, statuses[index]) for index in indexes_of([claim])],
                [],
                frozenset([1]),
            )
            for claim in claims
        ]
    )

    assert Usage(2, 2, 2, 2, halves=2 + 1 + 4 + 2) == await used(store, clock)


async def test_every_day_has_its_line(store: Store, clock: Clock) -> None:
    """Of UTC; days without usage have none."""
    clock.now = 20_000.0 * DAY_S - 1
    await launched(store, 8)
    for _ in range(2):
        (claim,) = await store.claim("w", max_entries=4)
        await store.settle([settled(claim)])
        clock.advance(2 * DAY_S)

    four = Usage(verified=4, halves=8)
    lines = [DayUsage(19_999, four), DayUsage(20_001, four)]
    assert lines == await store.daily_usage(TENANT, 0, 30_000, limit=10)
    assert lines[:1] == await store.daily_usage(TENANT, 0, 30_000, limit=1)
    assert lines[1:] == await store.daily_usage(TENANT, 20_000, 20_001, limit=10)


async def test_nobody_is_limited_at_first(store: Store) -> None:
    """Until an operator says so."""
    assert not (await store.get_balance(TENANT)).limited
    assert not await store.reserve(TENANT, 10**9)


async def test_a_launch_reserves_the_most_it_can_cost(store: Store) -> None:
    """Duplicates and wrong entries are no part of it; every answer gives its share back."""
    await store.set_balance(TENANT, limited=True, add_halves=20)
    some = [entry("a", key=1), entry("a", key=1), entry("nonsense", ""), entry("b", key=2)]
    await store.create_batch(TENANT, "b1", HIGH, some, launch=True)
    balance = await store.get_balance(TENANT)
    assert (20, 8, 12) == (
        balance.pack_halves,
        balance.reserved_halves,
        balance.available_halves,
    )
    await store.plan_launched()
    await finish(store)
    balance = await store.get_balance(TENANT)

    assert BatchState.COMPLETED is (await store.get_batch(TENANT, "b1")).state
    assert (0, balance.pack_halves) == (balance.reserved_halves, balance.available_halves)


async def test_nothing_stays_reserved_for_a_batch_that_ended(store: Store) -> None:
    """Also when its entries turned out to be none, as those of an erased address do."""
    await store.set_balance(TENANT, limited=True, add_halves=20)
    await launched(store, 4)
    await store.pause_batch(TENANT, "b1")
    await store.resume_batch(TENANT, "b1")
    while claims := await store.claim("w", max_entries=100):
        await store.settle(
            [settled(claim, status=EntryStatus.AT_SIGN_NOT_FOUND) for claim in claims]
        )
    balance = await store.get_balance(TENANT)

    assert BatchState.COMPLETED is (await store.get_batch(TENANT, "b1")).state
    assert (0, 20) == (balance.reserved_halves, balance.available_halves)


async def test_a_launch_that_may_cost_too_much_is_refused(store: Store) -> None:
    """Whichever way it is launched; nothing is begun, and what is missing is said."""
    await store.set_balance(TENANT, limited=True, add_halves=7)
    await store.create_batch(TENANT, "b1", SPEC, entries(4))
    with pytest.raises(InsufficientBalance) as caught:
        await store.launch_batch(TENANT, "b1")
    with pytest.raises(InsufficientBalance):
        await store.create_batch(TENANT, "b2", SPEC, entries(4), launch=True)

    assert {"needed_units": "4", "available_units": "3.5", "missing_units": "0.5"} == (
        caught.value.metadata
    )
    assert ["b1"] == [batch.batch_id for batch in await store.list_batches(TENANT)]
    assert BatchState.DRAFT is (await store.get_batch(TENANT, "b1")).state
    await store.set_balance(TENANT, add_halves=1)
    assert BatchState.RUNNING is (await store.launch_batch(TENANT, "b1")).state


async def test_two_batches_do_not_share_units(store: Store) -> None:
    """What one has reserved the other cannot have, until it is cancelled or deleted."""
    await store.set_balance(TENANT, limited=True, add_halves=8)
    await launched(store, 4, "b1")
    await store.create_batch(TENANT, "b2", SPEC, entries(4))
    with pytest.raises(InsufficientBalance):
        await store.launch_batch(TENANT, "b2")
    await store.cancel_batch(TENANT, "b1")
    await store.launch_batch(TENANT, "b2")
    await store.delete_batch(TENANT, "b2", force=True)

    assert 8 == (await store.get_balance(TENANT)).available_halves


async def test_a_repeated_launch_reserves_once(store: Store) -> None:
    """A batch that runs is returned as it is, also when nothing is left."""
    await store.set_balance(TENANT, limited=True, add_halves=8)
    await launched(store, 4)
    await store.launch_batch(TENANT, "b1")
    await store.pause_batch(TENANT, "b1")
    await store.resume_batch(TENANT, "b1")

    assert (8, 0) == (
        (await store.get_balance(TENANT)).reserved_halves,
        (await store.get_balance(TENANT)).available_halves,
    )


async def test_free_units_are_spent_before_the_pack(store: Store, clock: Clock) -> None:
    """Every day anew; the pack pays the rest, and the ledger says how much."""
    clock.now = 20_000.0 * DAY_S
    await store.set_balance(TENANT, limited=True, add_halves=10, daily_free_halves=6)
    await launched(store, 4)
    await finish(store)
    balance = await store.get_balance(TENANT)
    assert (0, 8) == (balance.free_left_halves, balance.pack_halves)
    clock.advance(DAY_S)
    await launched(store, 2, "b2")
    await finish(store)
    balance = await store.get_balance(TENANT)

    assert (2, 8) == (balance.free_left_halves, balance.pack_halves)
    lines = await store.daily_usage(TENANT, 0, 30_000, limit=10)
    assert [(8, 2), (4, 0)] == [(line.usage.halves, line.pack_halves) for line in lines]


async def test_a_promise_to_a_call_counts_until_it_is_given_back(
    store: Store, clock: Clock
) -> None:
    """Then the charge itself counts; what goes beyond is refused."""
    await store.set_balance(TENANT, limited=True, add_halves=10)
    assert await store.reserve(TENANT, 6)
    with pytest.raises(InsufficientBalance):
        await store.reserve(TENANT, 5)
    usage = Usage(verified=1, cached=1, halves=3)
    await store.charge([Charge(TENANT, day_of(clock.now), usage, 6)])

    assert 7 == (await store.get_balance(TENANT)).available_halves
    assert usage == await used(store, clock)


async def test_terms_change_one_by_one(store: Store) -> None:
    """What is not named stays as it is; units can be taken away too."""
    await store.set_balance(TENANT, limited=True, add_halves=10, daily_free_halves=4)
    await store.set_balance(TENANT, add_halves=-3)
    balance = await store.set_balance(TENANT, daily_free_halves=2)
    assert (True, 7, 2) == (balance.limited, balance.pack_halves, balance.daily_free_halves)
    assert not (await store.set_balance(TENANT, limited=False)).limited
    assert not (await store.get_balance("other")).limited


async def test_a_batch_that_runs_never_runs_out(store: Store) -> None:
    """What an operator takes away meanwhile is owed: the pack goes below 0, no work is lost."""
    await store.set_balance(TENANT, limited=True, add_halves=8)
    await launched(store, 4)
    await store.set_balance(TENANT, add_halves=-8)
    await finish(store)

    assert BatchState.COMPLETED is (await store.get_batch(TENANT, "b1")).state
    assert -8 == (await store.get_balance(TENANT)).available_halves


async def test_a_promise_to_a_call_ends_with_the_process(tmp_path: Path, clock: Clock) -> None:
    """The call that it was made for is gone; what a batch has reserved stays."""
    first = await open_sqlite(tmp_path / "store.db", clock)
    await first.set_balance(TENANT, limited=True, add_halves=20)
    await launched(first, 4)
    await first.reserve(TENANT, 6)
    assert 6 == (await first.get_balance(TENANT)).available_halves
    await first.close()
    second = await open_sqlite(tmp_path / "store.db", clock)
    try:
        assert 12 == (await second.get_balance(TENANT)).available_halves
    finally:
        await second.close()
