"""A batch from its creation to its deletion."""

import asyncio
from dataclasses import replace

import pytest

from mailvet.batches.cursor import Marks
from mailvet.batches.drain import Drain
from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.lifecycle import Batches, NewBatch, request_hash
from mailvet.batches.listing import BatchPage
from mailvet.batches.upload import Chunk
from mailvet.batches.watch import Observer
from mailvet.errors import AlreadyExists, BadPageToken, NotFound, RequestIdReused
from mailvet.model.batch import BatchSpec
from mailvet.model.status import BatchState, QualityLevel
from mailvet.store.base import Store

NEW = NewBatch(spec=BatchSpec(name="spring"), entries=(RawEntry("ann@example.org", "7"),))


@pytest.fixture(name="batches")
async def _batches(store: Store) -> Batches:
    loop = asyncio.get_running_loop()
    observer = Observer(store, clock=loop.time, wall_clock=loop.time)
    marks = Marks(store.secret, store.epoch)
    return Batches(store, observer, Intake(store.secret), marks, wall_clock=lambda: 1_700_000_000.0)


async def test_a_batch_gets_an_id(batches: Batches) -> None:
    """Without an id of its own a batch gets a UUIDv7."""
    standing = await batches.create("acme", NEW)

    assert standing.batch.batch_id.startswith("018bcfe5-6800-7")
    assert (1, BatchState.DRAFT) == (standing.batch.entry_count, standing.batch.state)


async def test_the_same_request_makes_one_batch(batches: Batches) -> None:
    """Fifty calls with one request_id at once: one batch, and all hear of it."""
    new = replace(NEW, request_id="r1")
    made = await asyncio.gather(*(batches.create("acme", new) for _ in range(50)))

    assert 1 == len({standing.batch.batch_id for standing in made})
    assert 1 == len((await batches.page("acme", BatchPage(frozenset(), 50, "")))[0])


async def test_another_request_with_the_same_id_is_refused(batches: Batches) -> None:
    """A request_id stands for one request."""
    await batches.create("acme", replace(NEW, request_id="r1"))

    with pytest.raises(RequestIdReused):
        await batches.create("acme", replace(NEW, request_id="r1", launch=True))


async def test_tenants_do_not_share_request_ids(batches: Batches) -> None:
    """What one tenant did cannot be told by another."""
    mine = await batches.create("acme", replace(NEW, request_id="r1"))
    theirs = await batches.create("other", replace(NEW, request_id="r1", launch=True))

    assert mine.batch.batch_id != theirs.batch.batch_id


@pytest.mark.parametrize(
    "change",
    [
        {"batch_id": "other"},
        {"launch": True},
        {"entries": (RawEntry("ann@example.org", "8"),)},
        {"entries": ()},
        {"spec": BatchSpec(name="spring", quality=QualityLevel.HIGH)},
        {"spec": BatchSpec(name="spring", labels={"a": "b"})},
    ],
)
def test_every_part_counts_for_the_hash(change: dict[str, object]) -> None:
    """A request that differs anywhere is another request."""
    assert request_hash(NEW) != request_hash(replace(NEW, **change))  # type: ignore[arg-type]


def test_the_request_id_does_not_count_for_the_hash() -> None:
    """The hash is of what is asked for; labels count in any order."""
    labelled = [
        replace(NEW, spec=BatchSpec(labels=labels), request_id=name)
        for name, labels in (("r1", {"a": "1", "b": "2"}), ("r2", {"b": "2", "a": "1"}))
    ]

    assert request_hash(labelled[0]) == request_hash(labelled[1])


async def test_a_dry_run_writes_nothing(batches: Batches) -> None:
    """validate_only answers what would be, without an id."""
    standing = await batches.create("acme", replace(NEW, validate_only=True, launch=True))

    assert ("", 1, BatchState.RUNNING) == (
        standing.batch.batch_id,
        standing.batch.entry_count,
        standing.batch.state,
    )
    assert ([], "", "") == await batches.page("acme", BatchPage(frozenset(), 50, ""))


async def test_a_dry_run_finds_a_taken_id(batches: Batches) -> None:
    """validate_only finds the errors that the real call would."""
    await batches.create("acme", replace(NEW, batch_id="mine"))

    with pytest.raises(AlreadyExists):
        await batches.create("acme", replace(NEW, batch_id="mine", validate_only=True))
    free = await batches.create("acme", replace(NEW, batch_id="free", validate_only=True))
    assert 1 == free.batch.entry_count


async def test_a_life(batches: Batches) -> None:
    """Create, add, launch, cancel, delete."""
    batch_id = (await batches.create("acme", NEW)).batch.batch_id

    assert 2 == await batches.add("acme", batch_id, Chunk(1, [RawEntry("bob@example.org")]))
    assert BatchState.RUNNING is (await batches.launch("acme", batch_id)).batch.state
    assert BatchState.CANCELLED is (await batches.cancel("acme", batch_id)).batch.state
    waited = await batches.get("acme", batch_id, wait_s=60, drain=Drain())
    assert BatchState.CANCELLED is waited.batch.state
    assert 2 == await batches.delete("acme", batch_id, force=False)
    with pytest.raises(NotFound):
        await batches.look("acme", batch_id)


async def test_deleting_what_is_not_there(batches: Batches) -> None:
    """A missing batch is an error unless the caller says that it is fine."""
    assert 0 == await batches.delete("acme", "gone", force=False, allow_missing=True)
    with pytest.raises(NotFound):
        await batches.delete("acme", "gone", force=False)


async def test_pages_hold_everything_once(batches: Batches) -> None:
    """Following the tokens lists every batch, the newest first, also while new ones come."""
    for n in range(7):
        await batches.create("acme", replace(NEW, batch_id=f"b{n}"))
    names: list[str] = []
    token = ""
    while True:
        standings, token, _ = await batches.page("acme", BatchPage(frozenset(), 3, token))
        names += [standing.batch.batch_id for standing in standings]
        if not token:
            break
        await batches.create("acme", NEW)

    assert [f"b{n}" for n in reversed(range(7))] == names


async def test_a_page_token_keeps_to_its_request(batches: Batches) -> None:
    """A token works with the tenant and the states it was made for."""
    for _ in range(2):
        await batches.create("acme", NEW)
    _, token, _ = await batches.page("acme", BatchPage(frozenset(), 1, ""))

    for tenant, states in (
        ("other", frozenset[BatchState]()),
        ("acme", frozenset({BatchState.DRAFT})),
    ):
        with pytest.raises(BadPageToken):
            await batches.page(tenant, BatchPage(states, 1, token))


async def test_states_are_filtered(batches: Batches) -> None:
    """Only batches in the asked states are listed."""
    await batches.create("acme", replace(NEW, batch_id="draft"))
    await batches.create("acme", replace(NEW, batch_id="running", launch=True))
    running = BatchPage(frozenset({BatchState.RUNNING}), 10, "")
    standings, *_ = await batches.page("acme", running)

    assert ["running"] == [standing.batch.batch_id for standing in standings]
