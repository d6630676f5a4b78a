"""What may happen between reading a plan and keeping it."""

from mailvet.store import sqlite_plan
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import SPEC, TENANT, entries, indexes_of


async def read_plan(store: SqliteStore, key: int) -> sqlite_plan.Plan:
    """Cut a batch without keeping the chunks."""
    return await store._file.read(lambda c: sqlite_plan.plan(c, key, chunk_size=4))


async def keep(store: SqliteStore, plan: sqlite_plan.Plan) -> bool:
    """Queue the chunks of a plan."""
    return await store._file.write(lambda t: sqlite_plan.keep(t, plan, now=1.0))


async def test_a_plan_is_kept_once(sqlite: SqliteStore) -> None:
    """The second of two equal plans finds the chunks there."""
    created = await sqlite.create_batch(TENANT, "b1", SPEC, entries(9), launch=True)
    plan = await read_plan(sqlite, created.batch.key)
    assert [True, False] == [await keep(sqlite, plan), await keep(sqlite, plan)]
    assert list(range(9)) == sorted(indexes_of(await sqlite.claim("w", max_entries=100)))


async def test_a_plan_of_a_batch_that_ended_meanwhile_is_dropped(sqlite: SqliteStore) -> None:
    """It was cancelled, or deleted, while it was cut."""
    first = await sqlite.create_batch(TENANT, "b1", SPEC, entries(9), launch=True)
    second = await sqlite.create_batch(TENANT, "b2", SPEC, entries(9), launch=True)
    plans = [await read_plan(sqlite, one.batch.key) for one in (first, second)]
    await sqlite.cancel_batch(TENANT, "b1")
    await sqlite.delete_batch(TENANT, "b2", force=True)
    assert [False, False] == [await keep(sqlite, plan) for plan in plans]
    assert [] == (await read_plan(sqlite, second.batch.key)).cuts
    assert [] == await sqlite.claim("w", max_entries=100)
