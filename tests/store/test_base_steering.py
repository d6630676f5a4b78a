"""The contract, for steering batches: pause, resume, update; over every store."""

from collections import Counter

import pytest

from mailvet.errors import EtagMismatch, NotFound, WrongState
from mailvet.model.batch import BatchSpec
from mailvet.model.status import BatchState, Deduplication
from mailvet.store.base import Store
from tests.store.samples import (
    SPEC,
    TENANT,
    Clock,
    deferred,
    entries,
    finish,
    indexes_of,
    launched,
    settled,
)


async def served(store: Store, claims: int) -> Counter[int]:
    """Claim chunk after chunk; return how many each batch had."""
    counts: Counter[int] = Counter()
    for _ in range(claims):
        counts.update(claim.batch_key for claim in await store.claim("w", max_entries=1))
    return counts


async def test_a_paused_batch_hands_out_no_work(store: Store) -> None:
    """What is under way settles as ever; resumed, the rest is handed out."""
    await launched(store, 12)
    (under_way,) = await store.claim("w", max_entries=4)
    paused = await store.pause_batch(TENANT, "b1")
    assert BatchState.PAUSED == paused.state
    assert [] == await store.claim("w", max_entries=100)
    assert None is await store.next_run_at()
    assert [True] == await store.settle([settled(under_way)])
    resumed = await store.resume_batch(TENANT, "b1")
    assert (BatchState.RUNNING, paused.launch_time) == (resumed.state, resumed.launch_time)
    await finish(store)
    assert BatchState.COMPLETED == (await store.get_batch(TENANT, "b1")).state


async def test_a_batch_may_complete_while_it_is_paused(store: Store) -> None:
    """Everything left of it was under way."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    await store.pause_batch(TENANT, "b1")
    await store.settle([settled(claim)])
    assert BatchState.COMPLETED == (await store.get_batch(TENANT, "b1")).state


@pytest.mark.parametrize("by_time", [True, False])
async def test_what_is_put_off_or_given_back_during_a_pause_waits_for_its_end(
    store: Store, clock: Clock, *, by_time: bool
) -> None:
    """Deferrals and chunks of a dead worker; both are known to wait, none is due."""
    await launched(store, 8)
    (put_off,) = await store.claim("w", max_entries=4)
    (lost,) = await store.claim("gone", max_entries=4)
    await store.pause_batch(TENANT, "b1")
    await store.settle([deferred(put_off, indexes_of([put_off]), clock.now + 60)])
    _, progress = await store.progress(TENANT, "b1")
    place = await store.result_of(TENANT, "b1", put_off.entries[0].entry_index)
    assert (4, clock.now + 60) == (progress.waiting_count, progress.next_attempt_at)
    assert clock.now + 60 == place.next_attempt_at
    clock.advance(100)
    assert 1 == await (store.reap() if by_time else store.let_go("gone"))
    assert ([], None) == (await store.claim("w", max_entries=8), await store.next_run_at())
    await store.resume_batch(TENANT, "b1")
    again = await store.claim("w", max_entries=8)
    assert sorted(indexes_of([put_off, lost])) == sorted(indexes_of(again))
    assert {0, 1} == {claim.attempt for claim in again}


async def test_a_batch_paused_before_its_plan_is_planned_when_it_is_resumed(store: Store) -> None:
    """There is no work to cut before that."""
    await store.create_batch(TENANT, "b1", SPEC, entries(4), launch=True)
    await store.pause_batch(TENANT, "b1")
    assert 0 == await store.plan_launched()
    await store.resume_batch(TENANT, "b1")
    assert 1 == await store.plan_launched()
    assert 4 == len(indexes_of(await store.claim("w", max_entries=4)))


async def test_pausing_and_resuming_twice_changes_nothing(store: Store) -> None:
    """Both return the batch as it is."""
    await launched(store, 4)
    assert await store.pause_batch(TENANT, "b1") == await store.pause_batch(TENANT, "b1")
    assert await store.resume_batch(TENANT, "b1") == await store.resume_batch(TENANT, "b1")


async def test_only_work_can_be_paused_and_resumed(store: Store) -> None:
    """A draft has none yet, a batch that ended none any more; a paused one is not launched."""
    await store.create_batch(TENANT, "draft", SPEC, entries(1))
    await store.create_batch(TENANT, "ended", SPEC, entries(1))
    await store.cancel_batch(TENANT, "ended")
    await store.create_batch(TENANT, "paused", SPEC, entries(1), launch=True)
    await store.pause_batch(TENANT, "paused")
    for call in (
        store.pause_batch(TENANT, "draft"),
        store.resume_batch(TENANT, "draft"),
        store.pause_batch(TENANT, "ended"),
        store.resume_batch(TENANT, "ended"),
        store.launch_batch(TENANT, "paused"),
        store.delete_batch(TENANT, "paused", force=False),
    ):
        with pytest.raises(WrongState):
            await call


async def test_a_paused_batch_can_be_cancelled_and_deleted(store: Store) -> None:
    """With force: there is work left."""
    for name in ("b1", "b2"):
        await launched(store, 4, name)
        await store.pause_batch(TENANT, name)
    assert BatchState.CANCELLED == (await store.cancel_batch(TENANT, "b1")).state
    assert 4 == await store.delete_batch(TENANT, "b2", force=True)


async def test_a_resumed_batch_is_not_paid_for_its_pause(store: Store) -> None:
    """It shares with the others from then on, and starts at once."""
    away = await launched(store, 400, "away")
    await store.pause_batch(TENANT, "away")
    here = await launched(store, 400, "here")
    await served(store, 40)
    await store.resume_batch(TENANT, "away")
    counts = await served(store, 20)
    assert 9 <= counts[away] <= 11
    assert 20 == counts[here] + counts[away]


async def test_batches_of_equal_weight_finish_together(store: Store) -> None:
    """Launched one after the other, they share claim by claim; the first is ahead by its start."""
    first = await launched(store, 200, "first")
    second = await launched(store, 200, "second")
    last_seen = {}
    for turn in range(100):
        (claim,) = await store.claim("w", max_entries=1)
        last_seen[claim.batch_key] = turn
    assert 98 <= last_seen[first]
    assert 98 <= last_seen[second]


async def test_the_highest_priority_has_sixteen_times_the_share_of_the_middle(
    store: Store,
) -> None:
    """255 against 127: four doublings."""
    fast = await launched(store, 800, "fast", BatchSpec(priority=255))
    slow = await launched(store, 800, "slow", BatchSpec(priority=127))
    counts = await served(store, 170)
    assert (160, 10) == (counts[fast], counts[slow])


async def test_a_new_priority_counts_for_what_is_queued(store: Store) -> None:
    """From even shares to four times the other's, and back to even."""
    changed = await launched(store, 1600, "changed")
    other = await launched(store, 1600, "other")
    even = await served(store, 20)
    await store.update_batch(TENANT, "changed", {"priority": 191})
    faster = await served(store, 100)
    await store.update_batch(TENANT, "changed", {"priority": 127})
    even_again = await served(store, 20)
    assert {changed: 10, other: 10} == even
    assert 79 <= faster[changed] <= 81
    assert 9 <= even_again[changed] <= 11


async def test_settings_are_changed_in_any_state(store: Store) -> None:
    """What is not named stays; each change is another etag."""
    await launched(store, 1)
    before = await store.get_batch(TENANT, "b1")
    changes = {"description": "x", "labels": {"a": "b"}}
    changed = await store.update_batch(TENANT, "b1", changes, etag=before.etag)
    assert ("spring", "x", {"a": "b"}) == (
        changed.spec.name,
        changed.spec.description,
        changed.spec.labels,
    )
    assert changed == await store.get_batch(TENANT, "b1")
    assert before.etag != changed.etag


async def test_what_the_plan_is_made_by_is_changed_before_the_launch_only(store: Store) -> None:
    """A draft takes it, a running batch does not."""
    await store.create_batch(TENANT, "b1", SPEC, entries(1))
    off = {"deduplication": Deduplication.OFF}
    changed = await store.update_batch(TENANT, "b1", off)
    assert Deduplication.OFF == changed.spec.deduplication
    await store.launch_batch(TENANT, "b1")
    with pytest.raises(WrongState):
        await store.update_batch(TENANT, "b1", off)


async def test_an_old_etag_is_refused(store: Store) -> None:
    """By every method that takes one; the error has the etag in force, and nothing changes."""
    old = (await store.create_batch(TENANT, "b1", SPEC)).batch.etag
    await store.append_entries(TENANT, "b1", 0, entries(1))
    now = (await store.get_batch(TENANT, "b1")).etag
    for call in (
        store.launch_batch(TENANT, "b1", etag=old),
        store.update_batch(TENANT, "b1", {"name": "x"}, etag=old),
        store.delete_batch(TENANT, "b1", force=False, etag=old),
        store.pause_batch(TENANT, "b1", etag=old),
        store.resume_batch(TENANT, "b1", etag=old),
    ):
        with pytest.raises(EtagMismatch) as caught:
            await call
        assert now == caught.value.metadata["etag"]
    launched_now = await store.launch_batch(TENANT, "b1", etag=now)
    paused = await store.pause_batch(TENANT, "b1", etag=launched_now.etag)
    resumed = await store.resume_batch(TENANT, "b1", etag=paused.etag)
    assert 4 == len({now, launched_now.etag, paused.etag, resumed.etag})
    assert 1 == await store.delete_batch(TENANT, "b1", force=True, etag=resumed.etag)


async def test_a_foreign_batch_is_not_steered(store: Store) -> None:
    """It looks like a missing one."""
    await launched(store, 1)
    for call in (
        store.pause_batch("other", "b1"),
        store.resume_batch("other", "b1"),
        store.update_batch("other", "b1", {"name": "x"}),
    ):
        with pytest.raises(NotFound):
            await call
