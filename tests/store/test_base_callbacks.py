"""The contract, for telling callers that batches ended; over every store."""

from pathlib import Path

import pytest

from mailvet.model.batch import BatchSpec
from mailvet.model.callback import NO_CALLS, Callback, CallbackCalls, CallbackFormat
from mailvet.store.base import Store
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import SPEC, TENANT, Clock, entries, finish, launched, open_sqlite

HOOK = Callback("https://hooks.example/x", ("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",))
TOLD = BatchSpec(callback=HOOK)


async def due(store: Store) -> list[str]:
    """The ids of the batches whose callback is due."""
    return [batch.batch_id for batch in await store.due_callbacks(limit=10)]


async def test_the_end_of_a_batch_makes_its_callback_due(store: Store, clock: Clock) -> None:
    """Completed and cancelled alike, in the order they ended; not before, nor without one."""
    await launched(store, 3, "b1", TOLD)
    await launched(store, 3, "silent", SPEC)
    await launched(store, 3, "b2", TOLD)
    assert [] == await due(store)
    await store.cancel_batch(TENANT, "b2")
    clock.advance(1)
    await finish(store)

    assert ["b2", "b1"] == await due(store)
    assert ["b2"] == [one.batch_id for one in await store.due_callbacks(limit=1)]
    (first, _) = await store.due_callbacks(limit=2)
    assert (HOOK, first.end_time) == (first.spec.callback, first.calls.next_time)


async def test_calls_are_noted_and_due_again_when_they_say(store: Store, clock: Clock) -> None:
    """Not before; once delivered never again."""
    await launched(store, 1, "b1", TOLD)
    await finish(store)
    (batch,) = await store.due_callbacks(limit=10)
    failed = CallbackCalls(1, clock.now, "503", delivered=False, next_time=clock.now + 30)
    assert await store.note_calls(batch, failed)
    assert [] == await due(store)
    clock.advance(30)
    (again,) = await store.due_callbacks(limit=10)
    assert failed == again.calls
    delivered = CallbackCalls(2, clock.now, "204", delivered=True)
    assert await store.note_calls(again, delivered)
    clock.advance(1e6)
    assert [] == await due(store)
    assert delivered == (await store.get_batch(TENANT, "b1")).calls


async def test_what_came_of_an_old_callback_does_not_count(store: Store, clock: Clock) -> None:
    """It was changed, or somebody else called, or the batch is gone."""
    await launched(store, 1, "b1", TOLD)
    await finish(store)
    (batch,) = await store.due_callbacks(limit=10)
    other = HOOK._replace(url="https://hooks.example/y", format=CallbackFormat.VERIFALIA)
    await store.update_batch(TENANT, "b1", {"callback": other})
    calls = CallbackCalls(1, clock.now, "204", delivered=True)
    assert not await store.note_calls(batch, calls)
    (batch,) = await store.due_callbacks(limit=10)
    assert (other, NO_CALLS._replace(next_time=clock.now)) == (batch.spec.callback, batch.calls)
    assert await store.note_calls(batch, calls)
    assert not await store.note_calls(batch, calls)
    await store.delete_batch(TENANT, "b1", force=False)
    assert not await store.note_calls(batch, calls)


async def test_a_callback_that_is_set_after_the_end_is_due_at_once(store: Store) -> None:
    """One that is taken back is not due any more."""
    await launched(store, 1, "b1", SPEC)
    await finish(store)
    await store.update_batch(TENANT, "b1", {"callback": HOOK})
    assert ["b1"] == await due(store)
    await store.update_batch(TENANT, "b1", {"name": "x"})
    assert ["b1"] == await due(store)
    await store.update_batch(TENANT, "b1", {"callback": None})
    assert [] == await due(store)


async def test_a_batch_that_is_erased_is_not_told_of(store: Store) -> None:
    """There would be nothing to read."""
    await launched(store, 1, "b1", TOLD)
    await finish(store)
    await store.delete_batch(TENANT, "b1", force=False)
    assert [] == await due(store)


async def test_what_is_due_outlives_the_process(
    sqlite: SqliteStore, clock: Clock, tmp_path: Path
) -> None:
    """It was noted with the end of the batch."""
    await launched(sqlite, 1, "b1", TOLD)
    await finish(sqlite)
    await sqlite.close()
    reopened = await open_sqlite(tmp_path / "store.db", clock)
    assert ["b1"] == await due(reopened)
    await reopened.close()


@pytest.mark.parametrize("secrets", [(), ("whsec_a", "whsec_b")])
async def test_a_callback_is_kept_as_it_is(store: Store, secrets: tuple[str, ...]) -> None:
    """With its secrets and format."""
    asked = Callback("https://hooks.example/ü?a=b", secrets, CallbackFormat.VERIFALIA)
    await store.create_batch(TENANT, "b1", BatchSpec(callback=asked), entries(1))
    assert asked == (await store.get_batch(TENANT, "b1")).spec.callback
