"""What every store promises about keeping and erasing."""

import pytest

from mailvet.errors import Erased, NotFound, QuotaExceeded
from mailvet.model.batch import BatchSpec
from mailvet.model.keeping import DEFAULT_RETENTION_S, TOMBSTONE_S, DataPolicy
from mailvet.store.base import Store
from tests.store.samples import TENANT, Clock, entries, finish, launched

SHORT = BatchSpec(retention_s=300.0)


async def ended(store: Store, batch_id: str, spec: BatchSpec = SHORT) -> None:
    """A batch of six entries that completed now."""
    await launched(store, 6, batch_id, spec)
    await finish(store)


async def test_a_batch_is_kept_as_long_as_it_says(store: Store, clock: Clock) -> None:
    """It is there until its last second, counted from its end, and gone after it."""
    await ended(store, "b1")
    clock.advance(299.9)
    assert 0 == await store.sweep()
    assert clock.now + 0.1 == pytest.approx((await store.get_batch(TENANT, "b1")).expire_time)
    clock.advance(0.1)
    assert 1 == await store.sweep()
    with pytest.raises(Erased):
        await store.get_batch(TENANT, "b1")


async def test_only_what_is_due_is_swept(store: Store, clock: Clock) -> None:
    """Drafts, running batches and those with a longer retention stay."""
    await ended(store, "short")
    await ended(store, "long", BatchSpec())
    await store.create_batch(TENANT, "draft", SHORT, entries(2))
    await launched(store, 2, "running", SHORT)
    clock.advance(DEFAULT_RETENTION_S - 1)

    assert 1 == await store.sweep()
    assert 0 == await store.sweep()
    left = [batch.batch_id for batch in await store.list_batches(TENANT)]
    assert ["running", "draft", "long"] == left


async def test_a_cancelled_batch_expires_too(store: Store, clock: Clock) -> None:
    """Its results were readable for as long."""
    await launched(store, 2, "b1", SHORT)
    await store.cancel_batch(TENANT, "b1")
    clock.advance(300)

    assert 1 == await store.sweep()


async def test_a_tombstone_says_when_and_how_many(store: Store, clock: Clock) -> None:
    """Whoever asks for an erased batch reads so, whichever way it went."""
    clock.now = 1_700_000_000.0 - 300
    await ended(store, "swept")
    await ended(store, "deleted", BatchSpec())
    clock.advance(300)
    await store.sweep()
    await store.delete_batch(TENANT, "deleted", force=False)

    for batch_id in ("swept", "deleted"):
        with pytest.raises(Erased) as caught:
            await store.progress(TENANT, batch_id)
        assert ("2023-11-14T22:13:20Z", "6") == (
            caught.value.metadata["erase_time"],
            caught.value.metadata["entry_count"],
        )


async def test_a_tombstone_is_nobody_elses(store: Store) -> None:
    """For another tenant the batch was never there."""
    await ended(store, "b1")
    await store.delete_batch(TENANT, "b1", force=False)
    with pytest.raises(NotFound) as caught:
        await store.get_batch("other", "b1")

    assert NotFound is type(caught.value)


async def test_a_tombstone_falls(store: Store, clock: Clock) -> None:
    """After its time nothing at all is known of the batch."""
    await ended(store, "b1")
    await store.delete_batch(TENANT, "b1", force=False)
    clock.advance(TOMBSTONE_S)
    await store.sweep()
    with pytest.raises(NotFound) as caught:
        await store.get_batch(TENANT, "b1")

    assert NotFound is type(caught.value)


async def test_an_erased_id_is_free(store: Store) -> None:
    """A new batch may have it; deleting that one renews the tombstone."""
    await ended(store, "b1")
    await store.delete_batch(TENANT, "b1", force=False)
    await store.create_batch(TENANT, "b1", BatchSpec(), entries(2))
    assert 2 == await store.delete_batch(TENANT, "b1", force=False)
    with pytest.raises(Erased) as caught:
        await store.get_batch(TENANT, "b1")

    assert "2" == caught.value.metadata["entry_count"]


async def test_a_tenants_policy_is_kept(store: Store) -> None:
    """Without one the default holds; each tenant has its own."""
    assert DataPolicy() == await store.get_data_policy(TENANT)
    for retention_s in (600.0, 900.0):
        await store.put_data_policy(TENANT, DataPolicy(retention_s=retention_s))

    assert DataPolicy(retention_s=900.0) == await store.get_data_policy(TENANT)
    assert DataPolicy() == await store.get_data_policy("other")


async def test_storage_grows_and_shrinks(store: Store) -> None:
    """Entries and results count, for their tenant alone; what is erased counts no more."""
    await launched(store, 6, "b1")
    before = await store.stored_bytes(TENANT)
    await finish(store)
    after = await store.stored_bytes(TENANT)
    _, progress = await store.progress(TENANT, "b1")

    assert 0 < before < after
    assert after == progress.stored_bytes
    assert 0 == await store.stored_bytes("other")
    await store.delete_batch(TENANT, "b1", force=False)
    assert 0 == await store.stored_bytes(TENANT)


async def test_a_full_storage_takes_no_entries(small_store: Store) -> None:
    """Nothing is kept of what is too much; the way out is to delete, and results always fit."""
    store = small_store
    await launched(store, 20, "b1")
    with pytest.raises(QuotaExceeded) as caught:
        await store.create_batch(TENANT, "b2", BatchSpec(), entries(20))
    assert "storage_bytes_per_tenant" == caught.value.subject
    with pytest.raises(NotFound):
        await store.get_batch(TENANT, "b2")
    await store.create_batch(TENANT, "b2", BatchSpec())
    with pytest.raises(QuotaExceeded):
        await store.append_entries(TENANT, "b2", None, entries(20))
    await finish(store)
    assert 20 == (await store.progress(TENANT, "b1"))[1].result_count
    await store.create_batch("other", "b2", BatchSpec(), entries(20))
    await store.delete_batch(TENANT, "b1", force=False)
    assert 20 == await store.append_entries(TENANT, "b2", None, entries(20))


async def test_an_uploaded_file_counts(small_store: Store) -> None:
    """Its bytes are stored like any other, and too many are refused."""
    store = small_store
    await store.create_batch(TENANT, "b1", BatchSpec())
    await store.open_upload(TENANT, "b1", "list.csv", "{}")
    await store.append_upload(TENANT, "b1", 0, bytes(1_500))
    assert 1_500 == await store.stored_bytes(TENANT)
    with pytest.raises(QuotaExceeded):
        await store.append_upload(TENANT, "b1", 1_500, bytes(1_500))
    await store.append_upload(TENANT, "b1", 1_500, bytes(500))
    assert 2_000 == await store.stored_bytes(TENANT)


async def test_a_claim_says_how_old_an_answer_may_be(store: Store) -> None:
    """As its batch was told, and the batch says it too."""
    await launched(store, 2, "b1", BatchSpec(max_age_s=90.0))
    (claim,) = await store.claim("w", max_entries=10)

    assert 90.0 == claim.max_age_s
    assert 90.0 == (await store.get_batch(TENANT, "b1")).spec.max_age_s


@pytest.mark.parametrize("bare_domains", [False, True])
async def test_a_claim_says_whether_entries_may_be_domains(
    store: Store, bare_domains: bool
) -> None:
    """As its batch was told, and the batch says it too."""
    await launched(store, 2, "b1", BatchSpec(bare_domains=bare_domains))
    (claim,) = await store.claim("w", max_entries=10)

    assert bare_domains is claim.bare_domains
    assert bare_domains is (await store.get_batch(TENANT, "b1")).spec.bare_domains


async def test_there_are_only_so_many_batches(small_store: Store) -> None:
    """One more is refused with the way out, until one is deleted; another tenant has its own."""
    assert 3 == small_store.batch_limit
    for number in range(3):
        await small_store.create_batch(TENANT, f"b{number}", BatchSpec())
    with pytest.raises(QuotaExceeded) as caught:
        await small_store.create_batch(TENANT, "b3", BatchSpec())
    await small_store.create_batch("other", "b3", BatchSpec())

    assert ("batches_per_tenant", 3) == (
        caught.value.subject,
        await small_store.count_batches(TENANT),
    )
    assert "delete those that are no longer needed" in str(caught.value)
    await small_store.delete_batch(TENANT, "b0", force=False)
    await small_store.create_batch(TENANT, "b3", BatchSpec())
