"""The contract, for entries that the launch removes; over every store."""

import json

import pytest

from mailvet.model.batch import PHONE_LABEL, BatchSpec, Entry, Removal
from mailvet.model.status import BatchState
from mailvet.store.base import Store
from tests.store.samples import TENANT, finish, indexes_of


def row(name: str, *, key: int, domain: str = "a.example", phone: str | None = None) -> Entry:
    """An entry of a file, whose phone number was looked at or not."""
    labels = "" if phone is None else json.dumps({"n": name, PHONE_LABEL: phone})
    return Entry(f"{name}@{domain}" if domain else name, "", domain, key, labels)


ROWS = [
    row("ann", key=1, phone=""),
    row("bob", key=2, phone="+6561234567"),
    row("ann", key=1, phone="+6561234568"),
    row("wrong", key=3, domain=""),
    row("ann", key=1),
    row("wrong", key=3, domain="", phone=""),
]
NOTHING, DUPLICATES, WRONG, PHONE = (
    Removal.NOTHING,
    Removal.DUPLICATES,
    Removal.WRONG_FORMAT,
    Removal.WRONG_PHONE,
)


@pytest.mark.parametrize(
    ("removal", "left", "counts"),
    [
        (NOTHING, [0, 1, 2, 3, 4, 5], (2, 3, 1, 0, 2)),
        (DUPLICATES, [0, 1, 3], (2, 3, 1, 0, 2)),
        (WRONG, [0, 1, 2, 4, 5], (2, 3, 1, 0, 2)),
        (PHONE, [1, 2, 3, 4], (2, 1, 1, 2, 2)),
        (PHONE | DUPLICATES, [1, 2, 3], (2, 1, 1, 2, 2)),
        (PHONE | DUPLICATES | WRONG, [1, 2], (2, 1, 1, 2, 2)),
    ],
)
async def test_what_is_removed_is_not_worked_on(
    store: Store, removal: Removal, left: list[int], counts: tuple[int, ...]
) -> None:
    """The batch completes without it, and says how much it was."""
    await store.create_batch(TENANT, "b1", BatchSpec(removal=removal), ROWS)
    counted = await store.count_entries(TENANT, "b1")
    await store.launch_batch(TENANT, "b1")
    assert 1 == await store.plan_launched()
    running = await store.get_batch(TENANT, "b1")
    claims = await store.claim("w", max_entries=100)
    worked_on = sorted(indexes_of(claims))
    await store.reap()
    assert (counts, len(ROWS)) == (counted, sum(counted[:4]))
    assert left == worked_on
    assert (BatchState.RUNNING, len(ROWS) - len(left)) == (running.state, running.removed_count)


async def test_a_batch_completes_when_what_is_left_has_its_results(store: Store) -> None:
    """Counts agree: entries are results and what was removed."""
    await store.create_batch(TENANT, "b1", BatchSpec(removal=DUPLICATES), ROWS, launch=True)
    await store.plan_launched()
    await finish(store)
    batch, progress = await store.progress(TENANT, "b1")
    assert BatchState.COMPLETED == batch.state
    assert (6, 3, 3, 0) == (
        progress.entry_count,
        progress.removed_count,
        progress.result_count,
        progress.open_count,
    )


async def test_a_batch_of_which_nothing_is_left_completes_at_once(store: Store) -> None:
    """There is nothing to claim."""
    rows = [row("x", key=1, domain=""), row("y", key=2, domain="")]
    await store.create_batch(TENANT, "b1", BatchSpec(removal=WRONG), rows, launch=True)
    await store.plan_launched()
    batch, progress = await store.progress(TENANT, "b1")
    assert (BatchState.COMPLETED, 2, 0) == (
        batch.state,
        batch.removed_count,
        progress.open_count,
    )
    assert batch.end_time is not None
    assert [] == await store.claim("w", max_entries=10)
    assert 0 == await store.plan_launched()


async def test_labels_of_a_draft_are_replaced(store: Store) -> None:
    """From an index on; beyond the end there is nothing to replace."""
    await store.create_batch(TENANT, "b1", BatchSpec(), ROWS)
    await store.relabel_entries(TENANT, "b1", 4, ['{"a": "b"}', "", "x"])
    kept = await store.labels_from(TENANT, "b1", 3, limit=10)
    assert ["", '{"a": "b"}', ""] == list(kept)
