"""The contract, for the callers of batches; over every store."""

import asyncio

import pytest

from mailvet.errors import AlreadyExists, NotFound, OffsetGap, RequestIdReused, WrongState
from mailvet.model.batch import BatchSpec
from mailvet.model.status import BatchState, Deduplication, QualityLevel
from mailvet.store.base import Store
from tests.store.samples import SPEC, TENANT, Clock, entries, entry, finish, launched, settled


async def test_a_created_batch_comes_back_as_it_was_asked_for(store: Store, clock: Clock) -> None:
    """Every field of the specification survives, and the times are the clock's."""
    spec = BatchSpec(
        name="n\u00e4me",
        description="d",
        labels={"team": "\u2603"},
        quality=QualityLevel.EXTREME,
        priority=255,
        deduplication=Deduplication.RELAXED,
        keep_last=True,
    )
    created = await store.create_batch(TENANT, "b1", spec, entries(3))
    batch = await store.get_batch(TENANT, "b1")
    assert created.batch == batch
    assert not created.replayed
    assert (spec, BatchState.DRAFT, 3, clock.now, None, None) == (
        batch.spec,
        batch.state,
        batch.entry_count,
        batch.create_time,
        batch.launch_time,
        batch.end_time,
    )


async def test_a_batch_id_can_be_used_once_by_each_tenant(store: Store) -> None:
    """A second batch of that id is refused, unless it is another tenant's."""
    first = await store.create_batch(TENANT, "b1", SPEC)
    with pytest.raises(AlreadyExists):
        await store.create_batch(TENANT, "b1", SPEC)
    other = await store.create_batch("other", "b1", SPEC)
    assert first.batch.key != other.batch.key


async def test_a_repeated_request_id_returns_the_batch_as_it_is_now(store: Store) -> None:
    """The replay does not create, and shows what happened since."""
    await store.create_batch(TENANT, "b1", SPEC, entries(2), request_id="r", request_hash=b"h")
    await store.launch_batch(TENANT, "b1")
    again = await store.create_batch(TENANT, "b9", SPEC, request_id="r", request_hash=b"h")
    assert again.replayed
    assert ("b1", BatchState.RUNNING) == (again.batch.batch_id, again.batch.state)
    assert 1 == len(await store.list_batches(TENANT))


async def test_fifty_creates_with_one_request_id_make_one_batch(store: Store) -> None:
    """All get the same answer, and one of them made it."""
    creates = (
        store.create_batch(TENANT, f"b{n}", SPEC, request_id="r", request_hash=b"h")
        for n in range(50)
    )
    created = await asyncio.gather(*creates)
    assert 1 == len({one.batch.key for one in created})
    assert 49 == sum(one.replayed for one in created)


async def test_a_request_id_with_another_body_is_refused(store: Store) -> None:
    """The id was used for something else, so nothing is created."""
    await store.create_batch(TENANT, "b1", SPEC, request_id="r", request_hash=b"h")
    with pytest.raises(RequestIdReused):
        await store.create_batch(TENANT, "b2", SPEC, request_id="r", request_hash=b"other")
    assert ["b1"] == [batch.batch_id for batch in await store.list_batches(TENANT)]


async def test_a_request_id_belongs_to_its_tenant_and_ends_with_its_batch(store: Store) -> None:
    """Another tenant may use the same id, and so may anybody once the batch is deleted."""
    await store.create_batch(TENANT, "b1", SPEC, request_id="r", request_hash=b"h")
    other = await store.create_batch("other", "b1", SPEC, request_id="r", request_hash=b"x")
    assert not other.replayed
    await store.delete_batch(TENANT, "b1", force=False)
    again = await store.create_batch(TENANT, "b1", SPEC, request_id="r", request_hash=b"new")
    assert not again.replayed


async def test_launching_at_creation_needs_entries(store: Store) -> None:
    """A batch without entries is not launched, and not created either."""
    with pytest.raises(WrongState):
        await store.create_batch(TENANT, "b1", SPEC, launch=True)
    with pytest.raises(NotFound):
        await store.get_batch(TENANT, "b1")


async def test_entries_are_appended_at_the_end_or_at_their_offset(store: Store) -> None:
    """The answer is how many entries are kept; a repeat adds nothing, an overlap its new part."""
    await store.create_batch(TENANT, "b1", SPEC)
    some = entries(10)
    assert 3 == await store.append_entries(TENANT, "b1", None, some[:3])
    assert 6 == await store.append_entries(TENANT, "b1", 3, some[3:6])
    assert 6 == await store.append_entries(TENANT, "b1", 3, some[3:6])
    assert 10 == await store.append_entries(TENANT, "b1", 4, some[4:10])
    await store.launch_batch(TENANT, "b1")
    await store.plan_launched()
    claims = await store.claim("w", max_entries=100)
    work = sorted(one for claim in claims for one in claim.entries)
    assert [one.input_data for one in some] == [one.input_data for one in work]


async def test_an_offset_beyond_the_end_says_what_is_expected(store: Store) -> None:
    """A hole is refused, and nothing of the upload is kept."""
    await store.create_batch(TENANT, "b1", SPEC, entries(2))
    with pytest.raises(OffsetGap) as caught:
        await store.append_entries(TENANT, "b1", 3, entries(1))
    assert "2" == caught.value.metadata["expected"]
    assert 2 == (await store.get_batch(TENANT, "b1")).entry_count


@pytest.mark.parametrize("end", ["launch", "cancel"])
async def test_only_a_repeat_is_accepted_after_the_draft(store: Store, end: str) -> None:
    """A lost ack is given again in any state; a new entry is refused."""
    await store.create_batch(TENANT, "b1", SPEC, entries(4))
    await (store.launch_batch if end == "launch" else store.cancel_batch)(TENANT, "b1")
    assert 4 == await store.append_entries(TENANT, "b1", 1, entries(3))
    with pytest.raises(WrongState):
        await store.append_entries(TENANT, "b1", 3, entries(2))
    with pytest.raises(WrongState):
        await store.append_entries(TENANT, "b1", None, entries(1))


async def test_text_is_kept_exactly(store: Store) -> None:
    """Quotes, zero characters and characters beyond the BMP come back as they were."""
    odd = entry("\"a\\'\x00 \U0001f409", "", custom="\r\n\x00'")
    await store.create_batch(TENANT, "b1", SPEC, [odd], launch=True)
    await store.plan_launched()
    (claim,) = await store.claim("w", max_entries=1)
    assert (odd.input_data, odd.custom) == claim.entries[0][1:3]


async def test_launching_twice_is_launching_once(store: Store, clock: Clock) -> None:
    """The second call returns the running batch with its first launch time."""
    await store.create_batch(TENANT, "b1", SPEC, entries(1))
    first = await store.launch_batch(TENANT, "b1")
    clock.advance(5)
    assert first == await store.launch_batch(TENANT, "b1")
    assert (BatchState.RUNNING, clock.now - 5) == (first.state, first.launch_time)


async def test_a_batch_that_ended_or_is_empty_is_not_launched(store: Store) -> None:
    """Both are the wrong state for it."""
    await store.create_batch(TENANT, "empty", SPEC)
    with pytest.raises(WrongState):
        await store.launch_batch(TENANT, "empty")
    await store.create_batch(TENANT, "ended", SPEC, entries(1))
    await store.cancel_batch(TENANT, "ended")
    with pytest.raises(WrongState):
        await store.launch_batch(TENANT, "ended")


async def test_a_cancelled_batch_keeps_its_results_and_has_no_more_work(store: Store) -> None:
    """What is claimed of it settles nothing, and cancelling again changes nothing."""
    key = await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    assert [True] == await store.settle([settled(first)])
    cancelled = await store.cancel_batch(TENANT, "b1")
    assert [False] == await store.settle([settled(second)])
    assert BatchState.CANCELLED == cancelled.state
    assert cancelled == await store.cancel_batch(TENANT, "b1")
    assert frozenset() == await store.heartbeat("w", [second.chunk])
    assert [] == await store.claim("w", max_entries=8)
    _, progress = await store.progress(TENANT, "b1")
    assert (4, key) == (progress.result_count, cancelled.key)


async def test_a_launched_batch_that_is_cancelled_before_its_plan_is_never_planned(
    store: Store,
) -> None:
    """There is nothing to cut any more."""
    await store.create_batch(TENANT, "b1", SPEC, entries(3), launch=True)
    await store.cancel_batch(TENANT, "b1")
    assert 0 == await store.plan_launched()
    assert [] == await store.claim("w", max_entries=8)


async def test_cancelling_a_completed_batch_returns_it_as_it_is(store: Store) -> None:
    """It has ended already."""
    await launched(store, 3)
    await finish(store)
    assert BatchState.COMPLETED == (await store.cancel_batch(TENANT, "b1")).state


async def test_a_running_batch_is_deleted_only_by_force(store: Store) -> None:
    """Without it the batch stays, with it the number of its entries is returned."""
    await launched(store, 5)
    with pytest.raises(WrongState):
        await store.delete_batch(TENANT, "b1", force=False)
    assert 5 == await store.delete_batch(TENANT, "b1", force=True)


async def test_a_deleted_batch_is_gone_for_every_method(store: Store) -> None:
    """Neither its id, its results nor its work are found, and its claims settle nothing."""
    await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    await store.settle([settled(first)])
    await store.delete_batch(TENANT, "b1", force=True)
    for call in (
        store.get_batch(TENANT, "b1"),
        store.progress(TENANT, "b1"),
        store.results_after(TENANT, "b1", 0, limit=10),
        store.joined_after(TENANT, "b1", 0, limit=10, max_bytes=1),
        store.result_of(TENANT, "b1", 0),
        store.launch_batch(TENANT, "b1"),
        store.cancel_batch(TENANT, "b1"),
        store.append_entries(TENANT, "b1", 0, entries(1)),
        store.delete_batch(TENANT, "b1", force=True),
    ):
        with pytest.raises(NotFound):
            await call
    assert [] == await store.list_batches(TENANT)
    assert [False] == await store.settle([settled(second)])
    assert frozenset() == await store.heartbeat("w", [second.chunk])
    assert [] == await store.claim("w", max_entries=8)


async def test_the_key_of_a_deleted_batch_is_not_used_again(store: Store) -> None:
    """A new batch of the same id is another batch."""
    await store.create_batch(TENANT, "b0", SPEC)
    old = await store.create_batch(TENANT, "b1", SPEC, entries(2))
    await store.delete_batch(TENANT, "b1", force=False)
    new = await store.create_batch(TENANT, "b1", SPEC)
    assert new.batch.key > old.batch.key
    assert 0 == new.batch.entry_count


async def test_a_foreign_batch_looks_like_a_missing_one(store: Store) -> None:
    """The error is the same, word for word, for every method that names a batch."""
    await launched(store, 2)
    calls = (
        store.get_batch,
        store.progress,
        lambda tenant, name: store.results_after(tenant, name, 0, limit=1),
        lambda tenant, name: store.joined_after(tenant, name, 0, limit=1, max_bytes=1),
        lambda tenant, name: store.result_of(tenant, name, 0),
        store.launch_batch,
        store.cancel_batch,
        lambda tenant, name: store.append_entries(tenant, name, 0, entries(1)),
        lambda tenant, name: store.delete_batch(tenant, name, force=True),
    )
    for call in calls:
        with pytest.raises(NotFound) as foreign:
            await call("other", "b1")
        with pytest.raises(NotFound) as missing:
            await call("other", "b2")
        assert str(missing.value).replace("b2", "b1") == str(foreign.value)
    assert [] == await store.list_batches("other")


async def test_batches_are_listed_newest_first_in_pages(store: Store) -> None:
    """A page goes on below the last key of the page before it."""
    for number in range(5):
        await store.create_batch(TENANT, f"b{number}", SPEC)
    page = await store.list_batches(TENANT, limit=2)
    rest = await store.list_batches(TENANT, before_key=page[-1].key)
    assert ["b4", "b3"] == [batch.batch_id for batch in page]
    assert ["b2", "b1", "b0"] == [batch.batch_id for batch in rest]


async def test_batches_are_listed_by_state(store: Store) -> None:
    """Several states may be asked for at once."""
    for name in ("draft", "running", "cancelled"):
        await store.create_batch(TENANT, name, SPEC, entries(1))
    await store.launch_batch(TENANT, "running")
    await store.cancel_batch(TENANT, "cancelled")
    states = frozenset({BatchState.DRAFT, BatchState.CANCELLED})
    found = await store.list_batches(TENANT, states=states)
    assert ["cancelled", "draft"] == [batch.batch_id for batch in found]


async def test_a_store_has_a_secret_and_an_epoch(store: Store) -> None:
    """The secret is 32 bytes, the epoch is at least 1."""
    assert 32 == len(store.secret)
    assert 1 <= store.epoch
