"""The contract, for engines: plan, claim, settle, wait, reap; over every store."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from mailvet.model.batch import BatchSpec, Deferral, Entry, Settlement
from mailvet.model.status import BatchState, Deduplication, QualityLevel
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
    row,
    settled,
)

LEASE_S = 30.0


async def test_every_entry_of_a_launched_batch_is_claimed_once(store: Store) -> None:
    """Chunks have the size asked for, and nothing is in two of them."""
    await launched(store, 10)
    claims = await store.claim("w", max_entries=100)
    assert list(range(10)) == sorted(indexes_of(claims))
    assert [2, 4, 4] == sorted(len(claim.entries) for claim in claims)
    assert [] == await store.claim("w", max_entries=100)


async def test_a_draft_is_not_worked_on(store: Store) -> None:
    """It is planned when it is launched, and then once."""
    await store.create_batch(TENANT, "b1", SPEC, entries(3))
    assert 0 == await store.plan_launched()
    await store.launch_batch(TENANT, "b1")
    assert 1 == await store.plan_launched()
    assert 0 == await store.plan_launched()
    assert 3 == len(indexes_of(await store.claim("w", max_entries=100)))


async def test_two_plans_at_once_cut_a_batch_once(store: Store) -> None:
    """One of them finds nothing left to do."""
    await store.create_batch(TENANT, "b1", SPEC, entries(9), launch=True)
    assert 1 == sum(await asyncio.gather(store.plan_launched(), store.plan_launched()))
    assert list(range(9)) == sorted(indexes_of(await store.claim("w", max_entries=100)))


async def test_a_claim_carries_what_the_work_needs(store: Store) -> None:
    """The tenant, the quality and, of every entry, its text and custom key."""
    spec = BatchSpec(quality=QualityLevel.HIGH)
    some = [entry("a", custom="x"), entry("b", custom="y")]
    created = await store.create_batch(TENANT, "b1", spec, some, launch=True)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=1)
    assert (created.batch.key, TENANT, QualityLevel.HIGH, 0, None) == (
        claim.batch_key,
        claim.tenant,
        claim.quality,
        claim.attempt,
        claim.first_attempt_at,
    )
    assert ((0, "a@example.org", "x", None), (1, "b@example.org", "y", None)) == claim.entries


async def test_whatever_an_entry_says_it_says_in_a_claim(store: Store) -> None:
    """Every character comes back, those that end texts or quote them elsewhere with it."""
    texts = [
        "a\0b",
        '"\\/',
        "",
        "\x01\x1f\r\n\t\b\x7f",
        "é語😀\u2028\ufffd\uffff",
        '{"a":[1]}',
        "null",
    ]
    some = [Entry(text, texts[-1 - place], "", 0) for place, text in enumerate(texts)]
    await store.create_batch(TENANT, "b1", SPEC, some, launch=True)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=100)
    assert [one[:2] for one in some] == [(one.input_data, one.custom) for one in claim.entries]


async def test_chunks_are_cut_in_order_of_domain(store: Store) -> None:
    """Twelve entries of three domains, interleaved, make three chunks of one domain each."""
    await launched(store, 12)
    claims = await store.claim("w", max_entries=100)
    domains = [{one.entry_index % 3 for one in claim.entries} for claim in claims]
    assert [{0}, {1}, {2}] == sorted(domains, key=sorted)


async def test_entries_without_a_domain_have_chunks_of_their_own(store: Store) -> None:
    """They need no network, so they come first and may be many."""
    some = [entry(f"broken{n}", "") for n in range(6)] + entries(2)
    await store.create_batch(TENANT, "b1", SPEC, some, launch=True)
    await store.plan_launched()
    claims = await store.claim("w", max_entries=100)
    assert [[0, 1, 2, 3, 4, 5], [6, 7]] == [indexes_of([claim]) for claim in claims]


@pytest.mark.parametrize(
    ("keep_last", "originals"),
    [(False, {3: 0, 4: 1, 5: 0}), (True, {0: 5, 1: 4, 3: 5})],
)
async def test_duplicates_point_to_the_entry_that_is_kept(
    store: Store, keep_last: bool, originals: dict[int, int]
) -> None:
    """They have chunks of their own; a key of 0 is nobody's duplicate."""
    keys = [7, 8, 0, 7, 8, 7, 0]
    some = [entry(f"u{n}", key=key) for n, key in enumerate(keys)]
    spec = BatchSpec(keep_last=keep_last)
    await store.create_batch(TENANT, "b1", spec, some, launch=True)
    await store.plan_launched()
    claims = await store.claim("w", max_entries=100)
    work = [one for claim in claims for one in claim.entries]
    assert originals == {
        one.entry_index: one.duplicate_of for one in work if one.duplicate_of is not None
    }
    assert list(range(7)) == sorted(one.entry_index for one in work)
    kinds = [{one.duplicate_of is None for one in claim.entries} for claim in claims]
    assert all(len(kind) == 1 for kind in kinds)


async def test_duplicates_are_worked_on_when_the_batch_asks_for_it(store: Store) -> None:
    """With deduplication off, equal keys mean nothing."""
    spec = BatchSpec(deduplication=Deduplication.OFF)
    some = [entry("a", key=7), entry("a", key=7)]
    await store.create_batch(TENANT, "b1", spec, some, launch=True)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=100)
    assert [None, None] == [one.duplicate_of for one in claim.entries]


async def test_a_claim_takes_chunks_until_it_has_enough(store: Store) -> None:
    """The number of entries is reached or exceeded, and one chunk comes in any case."""
    await launched(store, 16)
    assert 4 == len(indexes_of(await store.claim("w", max_entries=0)))
    assert 8 == len(indexes_of(await store.claim("w", max_entries=5)))
    assert 4 == len(indexes_of(await store.claim("w", max_entries=100)))


async def test_settling_the_last_entry_completes_the_batch(store: Store, clock: Clock) -> None:
    """It has ended at that moment, with as many results as entries."""
    await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    await store.settle([settled(first)])
    assert BatchState.RUNNING == (await store.get_batch(TENANT, "b1")).state
    clock.advance(7)
    assert [True] == await store.settle([settled(second)])
    batch, progress = await store.progress(TENANT, "b1")
    assert (BatchState.COMPLETED, clock.now) == (batch.state, batch.end_time)
    assert 8 == progress.result_count
    assert [False] == await store.settle([settled(second)])


async def test_a_chunk_may_be_settled_in_parts(store: Store) -> None:
    """What a settlement does not mention stays claimed."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    for index in (2, 0, 3, 1):
        assert [True] == await store.settle([Settlement(claim, [row(index)], [])])
    page = await store.results_after(TENANT, "b1", 0, limit=10)
    assert [2, 0, 3, 1] == [result.entry_index for result in page.rows]
    assert BatchState.COMPLETED == page.state


async def test_a_batch_runs_until_its_last_result(store: Store) -> None:
    """One result short it is still running; with the last one it is completed."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    states = []
    for index in range(4):
        await store.settle([Settlement(claim, [row(index)], [])])
        states.append((await store.get_batch(TENANT, "b1")).state)
    assert [BatchState.RUNNING] * 3 + [BatchState.COMPLETED] == states


async def test_no_entry_gets_a_second_result(store: Store) -> None:
    """A repeated, doubled or foreign index in a settlement is passed over."""
    await launched(store, 8)
    claim, other = await store.claim("w", max_entries=8)
    index = claim.entries[0].entry_index
    rows = [row(index), row(index, 2), row(other.entries[0].entry_index), row(99)]
    assert [True] == await store.settle([Settlement(claim, rows, [])])
    assert [True] == await store.settle([Settlement(claim, rows, [])])
    page = await store.results_after(TENANT, "b1", 0, limit=10)
    assert [row(index)] == page.rows


async def test_several_settlements_are_answered_each(store: Store) -> None:
    """One with an old fence changes nothing and does not harm its neighbours."""
    await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    stale = replace(second, fence=second.fence + 1000)
    assert [True, False] == await store.settle([settled(first), settled(stale)])
    assert [True] == await store.settle([settled(second)])


async def test_a_deferral_waits_and_comes_back_with_one_attempt_more(
    store: Store, clock: Clock
) -> None:
    """Not before its time, with the time of the first attempt, and only the entries deferred."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    visited_at = clock.now
    await store.settle([Settlement(claim, [row(0)], [Deferral((1, 3), clock.now + 60)])])
    assert [True] == await store.settle([Settlement(claim, [row(2)], [])])
    clock.advance(59)
    assert [] == await store.claim("w", max_entries=4)
    clock.advance(1)
    (again,) = await store.claim("w", max_entries=4)
    assert ([1, 3], 1, visited_at) == (indexes_of([again]), again.attempt, again.first_attempt_at)
    await store.settle([deferred(again, [1, 3], clock.now + 60)])
    clock.advance(60)
    (third,) = await store.claim("w", max_entries=4)
    assert (2, visited_at) == (third.attempt, third.first_attempt_at)
    await store.settle([settled(third)])
    assert BatchState.COMPLETED == (await store.get_batch(TENANT, "b1")).state


async def test_a_deferred_duplicate_still_points_to_its_original(
    store: Store, clock: Clock
) -> None:
    """What it repeats is kept through the wait."""
    some = [entry("a", key=7), entry("b", key=9), entry("a", key=7), entry("b", key=9)]
    await store.create_batch(TENANT, "b1", SPEC, some, launch=True)
    await store.plan_launched()
    duplicates, _ = await store.claim("w", max_entries=4)
    await store.settle([deferred(duplicates, [3], clock.now + 1)])
    clock.advance(1)
    (again,) = await store.claim("w", max_entries=4)
    assert [(3, 1)] == [(one.entry_index, one.duplicate_of) for one in again.entries]


async def test_a_result_wins_over_a_deferral_of_the_same_entry(store: Store, clock: Clock) -> None:
    """An entry ends with exactly one result, so there is nothing left to wait for."""
    await launched(store, 2)
    (claim,) = await store.claim("w", max_entries=2)
    both = Settlement(claim, [row(0)], [Deferral((0, 1), clock.now + 1)])
    await store.settle([both])
    clock.advance(1)
    assert [1] == indexes_of(await store.claim("w", max_entries=2))


async def test_a_lease_that_ran_out_is_taken_over_under_a_new_fence(
    store: Store, clock: Clock
) -> None:
    """Until somebody reaps it nobody else gets it; afterwards the old claim settles nothing."""
    await launched(store, 4)
    (old,) = await store.claim("old", max_entries=4)
    clock.advance(LEASE_S + 1)
    assert [] == await store.claim("new", max_entries=4)
    assert 1 == await store.reap()
    (new,) = await store.claim("new", max_entries=4)
    assert (old.chunk, old.entries) == (new.chunk, new.entries)
    assert new.fence != old.fence
    assert [False, True] == await store.settle([settled(old), settled(new)])
    _, progress = await store.progress(TENANT, "b1")
    assert 4 == progress.result_count


async def test_a_heartbeat_keeps_a_lease_and_names_the_batches_held(
    store: Store, clock: Clock
) -> None:
    """It extends the leases of its owner only."""
    mine = await launched(store, 4, "b1")
    (held,) = await store.claim("me", max_entries=4)
    await launched(store, 4, "b2")
    (yours,) = await store.claim("you", max_entries=4)
    chunks = [held.chunk, yours.chunk, 999]
    clock.advance(LEASE_S - 1)
    assert frozenset({mine}) == await store.heartbeat("me", chunks)
    assert frozenset() == await store.heartbeat("nobody", chunks)
    clock.advance(2)
    assert 1 == await store.reap()
    assert frozenset({mine}) == await store.heartbeat("me", chunks)
    assert frozenset() == await store.heartbeat("you", chunks)


async def test_a_chunk_that_its_owner_does_not_know_of_is_reaped(
    store: Store, clock: Clock
) -> None:
    """The answer of its claim was lost: heartbeats for the others do not keep it for ever."""
    await launched(store, 8)
    known, unknown = await store.claim("me", max_entries=8)
    clock.advance(LEASE_S - 1)
    await store.heartbeat("me", [known.chunk])
    clock.advance(2)
    assert 1 == await store.reap()
    assert [unknown.chunk] == [claim.chunk for claim in await store.claim("me", max_entries=8)]


async def test_a_late_settlement_counts_as_long_as_nobody_took_over(
    store: Store, clock: Clock
) -> None:
    """The lease ran out, but the fence still holds."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    clock.advance(LEASE_S + 1)
    assert [True] == await store.settle([settled(claim)])
    assert 0 == await store.reap()


async def test_it_is_known_when_the_next_chunk_is_ready(store: Store, clock: Clock) -> None:
    """Nothing, then now, then the earliest deferral; what is held does not count."""
    assert None is await store.next_run_at()
    await launched(store, 4)
    assert clock.now >= (await store.next_run_at() or clock.now + 1)
    (claim,) = await store.claim("w", max_entries=4)
    assert None is await store.next_run_at()
    await store.settle([deferred(claim, [0], clock.now + 90), deferred(claim, [1], clock.now + 60)])
    assert clock.now + 60 == await store.next_run_at()


async def test_new_work_wakes_the_workers(store: Store, clock: Clock) -> None:
    """A launch, a deferral and a reaped chunk are new work."""
    seen = await store.work_signal(after=0, timeout_s=0)
    await store.create_batch(TENANT, "b1", SPEC, entries(4), launch=True)
    after_launch = await store.work_signal(after=seen, timeout_s=30)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=4)
    seen = await store.work_signal(after=0, timeout_s=0)
    await store.settle([deferred(claim, [0], clock.now + 1)])
    after_deferral = await store.work_signal(after=seen, timeout_s=30)
    clock.advance(LEASE_S + 1)
    await store.reap()
    after_reap = await store.work_signal(after=after_deferral, timeout_s=30)
    assert 4 == len({0, after_launch, after_deferral, after_reap})


async def test_priority_is_relative_speed(store: Store) -> None:
    """32 steps of priority are twice the speed, and the slow batch is not starved."""
    await launched(store, 400, "fast", BatchSpec(priority=159))
    await launched(store, 400, "slow", BatchSpec(priority=127))
    served: Counter[int] = Counter()
    for _ in range(30):
        served.update(claim.batch_key for claim in await store.claim("w", max_entries=1))
    assert {1: 20, 2: 10} == served


async def test_weight_zero_still_advances(store: Store) -> None:
    """A sixteenth of the speed of its neighbour is not nothing."""
    await launched(store, 800, "usual")
    key = await launched(store, 40, "last", BatchSpec(priority=0))
    served = [(await store.claim("w", max_entries=1))[0].batch_key for _ in range(60)]
    assert 3 <= served.count(key) <= 5


async def test_a_small_batch_behind_a_large_one_starts_at_once(store: Store, clock: Clock) -> None:
    """Neither the rest of the large batch nor its retries come before it."""
    await launched(store, 400, "large")
    for claim in await store.claim("w", max_entries=80):
        await store.settle([deferred(claim, indexes_of([claim]), clock.now + 1)])
    clock.advance(1)
    small = await launched(store, 4, "small")
    served = [(await store.claim("w", max_entries=1))[0].batch_key for _ in range(4)]
    assert small in served


async def test_retries_do_not_wait_for_the_rest_of_their_batch(store: Store, clock: Clock) -> None:
    """A retry is served near its time, not behind everything that was queued before."""
    await launched(store, 400)
    (claim,) = await store.claim("w", max_entries=1)
    await store.settle([deferred(claim, indexes_of([claim]), clock.now + 1)])
    clock.advance(1)
    attempts = [(await store.claim("w", max_entries=1))[0].attempt for _ in range(3)]
    assert 1 in attempts


async def test_many_owners_share_the_work_without_overlap(store: Store) -> None:
    """Claims made at the same time never have an entry in common."""
    await launched(store, 200)
    claims = await asyncio.gather(*(store.claim(f"w{n}", max_entries=9) for n in range(30)))
    indexes = [index for held in claims for index in indexes_of(held)]
    assert len(indexes) == len(set(indexes))
    assert 200 == len(indexes)


async def test_finishing_everything_gives_each_entry_one_result(store: Store) -> None:
    """Also with duplicates and entries without a domain."""
    some = [entry(f"u{n}", f"d{n % 5}.example" if n % 7 else "", key=n % 11) for n in range(90)]
    await store.create_batch(TENANT, "b1", SPEC, some, launch=True)
    await store.plan_launched()
    await finish(store, per_claim=10)
    page = await store.results_after(TENANT, "b1", 0, limit=1000)
    assert list(range(90)) == sorted(result.entry_index for result in page.rows)
    assert BatchState.COMPLETED == page.state


async def test_what_a_lost_owner_held_is_ready_at_once(store: Store) -> None:
    """Another claims it under a new fence; what others hold stays theirs."""
    await launched(store, 20)
    lost = await store.claim("lost", max_entries=1)
    kept = await store.claim("kept", max_entries=1)

    assert len(lost) == await store.let_go("lost")
    again = await store.claim("kept", max_entries=len(lost[0].entries))
    assert {one.chunk for one in lost} == {one.chunk for one in again}
    assert [False] == await store.settle([settled(lost[0])])
    assert [True] == await store.settle([settled(kept[0])])
    assert 0 == await store.let_go("lost")
