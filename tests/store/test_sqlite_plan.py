"""How a batch is cut, and what may happen between reading a plan and keeping it."""

import random
from typing import Any

import pytest

from mailvet.model.batch import NO_PHONE, BatchSpec, Entry, Removal
from mailvet.model.status import Deduplication
from mailvet.store import memory_plan, sqlite_plan
from mailvet.store.chunks import Cut
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import SPEC, TENANT, entries, indexes_of


async def read_plan(store: SqliteStore, key: int, **limits: Any) -> sqlite_plan.Plan:
    """Cut a batch without keeping the chunks."""
    return await store._file.read(lambda c: sqlite_plan.plan(c, key, chunk_size=4, **limits))


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


@pytest.mark.parametrize("keep_last", [False, True])
@pytest.mark.parametrize("deduplication", [Deduplication.SAFE, Deduplication.OFF])
async def test_a_plan_is_the_same_however_little_is_remembered(
    sqlite: SqliteStore, keep_last: bool, deduplication: Deduplication
) -> None:
    """In several passes, and with domains that SQLite puts in order; the order of duplicates may
    differ. It is also the plan of entries in memory."""
    spec = BatchSpec(keep_last=keep_last, deduplication=deduplication, removal=Removal.WRONG_PHONE)
    number = random.Random(7).randrange
    labels = ["", f"{{{NO_PHONE}}}"]
    domains = ["", "b.example", "a.example", "[IPv6:::1]"]
    rows = [
        Entry(f"user{i}", "", domains[number(4)], number(40), labels[number(8) == 0])
        for i in range(200)
    ]
    key = (await sqlite.create_batch(TENANT, "b1", spec, rows, launch=True)).batch.key
    plans = [
        await read_plan(sqlite, key),
        await read_plan(sqlite, key, max_keys=70),
        await read_plan(sqlite, key, max_keys=70, max_domains=2),
    ]
    first, *others = [_told(plan.cuts) for plan in plans]
    assert [first, first] == others
    assert first == _told(memory_plan.plan(rows, spec, chunk_size=4))


def _told(cuts: list[Cut]) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """The duplicates with their originals, and the other chunks in their order."""
    repeats = [chunk for chunk in cuts if chunk.originals is not None]
    pairs = [pair for one in repeats for pair in zip(one.indexes, one.originals or (), strict=True)]
    return sorted(pairs), [list(one.indexes) for one in cuts if one.originals is None]
