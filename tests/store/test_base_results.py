"""The contract, for those who read results and wait for changes; over every store."""

import asyncio
from itertools import pairwise

import pytest

from mailvet.errors import NotFound
from mailvet.model.batch import ResultFilter, ResultPage, ResultRow, Settlement
from mailvet.model.status import BatchState
from mailvet.store.base import Store
from tests.store.samples import (
    SPEC,
    TENANT,
    Clock,
    deferred,
    entries,
    finish,
    launched,
    row,
    settled,
)

NEVER_S = 30.0
"""A wait that must end by a change: the test fails by its own timeout long before."""


async def read_all(store: Store, limit: int, where: ResultFilter | None = None) -> list[ResultRow]:
    """Read every result by pages."""
    found: list[ResultRow] = []
    sequence = 0
    while True:
        page = await store.results_after(TENANT, "b1", sequence, limit=limit, where=where)
        found += page.rows
        assert page.sequence > sequence or page.caught_up
        sequence = page.sequence
        if page.caught_up:
            return found


async def test_results_are_numbered_densely_in_the_order_of_commits(store: Store) -> None:
    """Pages of any size give every result once, whole, in the order it was settled."""
    await launched(store, 10)
    order: list[ResultRow] = []
    while claims := await store.claim("w", max_entries=1):
        settlements = [settled(claim) for claim in claims]
        await store.settle(settlements)
        order += [result for one in settlements for result in one.results]
    assert 10 == len(order)
    for limit in (1, 3, 10, 1000):
        assert order == await read_all(store, limit)


async def test_a_page_says_how_far_it_came_and_whether_that_is_all(store: Store) -> None:
    """Reading on after the last sequence gives an empty page that has caught up."""
    await launched(store, 10)
    await finish(store)
    page = await store.results_after(TENANT, "b1", 0, limit=4)
    assert (4, False, BatchState.COMPLETED) == page[1:4]
    page = await store.results_after(TENANT, "b1", 4, limit=6)
    assert (10, True) == page[1:3]
    page = await store.results_after(TENANT, "b1", 10, limit=6)
    assert ([], 10, True) == page[:3]


async def test_a_draft_has_no_results_yet(store: Store) -> None:
    """The page is empty, has caught up, and says the batch is a draft."""
    await store.create_batch(TENANT, "b1", SPEC, entries(2))
    page = await store.results_after(TENANT, "b1", 0, limit=5)
    assert ([], 0, True, BatchState.DRAFT) == page[:4]


@pytest.mark.parametrize(
    ("where", "indexes"),
    [
        (ResultFilter(), [0, 1, 2, 3, 4, 5]),
        (ResultFilter(classifications=frozenset({1})), [0, 1]),
        (ResultFilter(classifications=frozenset({1, 3})), [0, 1, 4, 5]),
        (ResultFilter(exclude_classifications=frozenset({1})), [2, 3, 4, 5]),
        (ResultFilter(statuses=frozenset({10, 30})), [2, 4]),
        (ResultFilter(exclude_statuses=frozenset({10, 30})), [0, 1, 3, 5]),
        (ResultFilter(classifications=frozenset({2}), statuses=frozenset({11})), [3]),
        (ResultFilter(classifications=frozenset({4})), []),
    ],
)
async def test_a_filter_lets_through_what_it_names(
    store: Store, where: ResultFilter, indexes: list[int]
) -> None:
    """Included and excluded numbers of both columns combine, whatever the page size."""
    await launched(store, 6)
    kinds = [(1, 1), (2, 1), (10, 2), (11, 2), (30, 3), (31, 3)]
    for claim in await store.claim("w", max_entries=6):
        rows = [row(one.entry_index, *kinds[one.entry_index]) for one in claim.entries]
        await store.settle([Settlement(claim, rows, [])])
    for limit in (1, 2, 100):
        found = await read_all(store, limit, where)
        assert indexes == sorted(result.entry_index for result in found)


async def test_a_filtered_page_moves_on_even_when_nothing_passes(store: Store) -> None:
    """The sequence of an empty page is where to go on."""
    await launched(store, 6)
    await finish(store)
    where = ResultFilter(statuses=frozenset({99}))
    page = await store.results_after(TENANT, "b1", 0, limit=2, where=where)
    assert ([], 6, True) == page[:3]


async def test_progress_counts_by_status_and_classification(store: Store) -> None:
    """The counts are those of the results at the same moment."""
    await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    await store.settle([settled(first, status=30, classification=3)])
    await store.settle([Settlement(second, settled(second).results[:1], [])])
    batch, progress = await store.progress(TENANT, "b1")
    assert (8, 5) == (progress.entry_count, progress.result_count)
    assert {30: 4, 1: 1} == progress.statuses
    assert {3: 4, 1: 1} == progress.classifications
    assert BatchState.RUNNING == batch.state


async def test_progress_tells_what_waits_and_until_when(store: Store, clock: Clock) -> None:
    """A deferral counts as waiting until its time has come."""
    await launched(store, 4)
    (claim,) = await store.claim("w", max_entries=4)
    await store.settle(
        [deferred(claim, [0, 1, 2], clock.now + 60), deferred(claim, [3], clock.now + 30)]
    )
    _, progress = await store.progress(TENANT, "b1")
    assert (4, clock.now + 30) == (progress.waiting_count, progress.next_attempt_at)
    clock.advance(45)
    _, progress = await store.progress(TENANT, "b1")
    assert (3, clock.now + 15) == (progress.waiting_count, progress.next_attempt_at)


async def test_one_result_is_found_by_the_index_of_its_entry(store: Store) -> None:
    """While the batch runs, and after it ended."""
    await launched(store, 8)
    first, second = await store.claim("w", max_entries=8)
    await store.settle([settled(first)])
    done, open_index = first.entries[0].entry_index, second.entries[0].entry_index
    assert (row(done), None) == await store.result_of(TENANT, "b1", done)
    assert (None, None) == await store.result_of(TENANT, "b1", open_index)
    await store.settle([settled(second)])
    assert [row(index) for index in range(8)] == [
        (await store.result_of(TENANT, "b1", index)).row for index in range(8)
    ]


async def test_an_entry_that_waits_says_until_when(store: Store, clock: Clock) -> None:
    """There is no result yet, but the time of the next attempt."""
    await launched(store, 2)
    (claim,) = await store.claim("w", max_entries=2)
    await store.settle([deferred(claim, [1], clock.now + 60)])
    assert (None, clock.now + 60) == await store.result_of(TENANT, "b1", 1)


@pytest.mark.parametrize("index", [-1, 2, 4_294_967_296])
async def test_an_index_without_an_entry_is_not_found(store: Store, index: int) -> None:
    """The batch has entries 0 and 1."""
    await store.create_batch(TENANT, "b1", SPEC, entries(2))
    with pytest.raises(NotFound):
        await store.result_of(TENANT, "b1", index)


async def test_a_change_wakes_who_waits_for_it(store: Store, clock: Clock) -> None:
    """Results, deferrals, the launch, the end, cancelling and deleting are changes."""
    created = await store.create_batch(TENANT, "b1", SPEC, entries(4))
    key = created.batch.key
    seen = await store.changed(key, after=0, timeout_s=NEVER_S)

    async def changes() -> None:
        nonlocal seen
        now = await store.changed(key, after=seen, timeout_s=NEVER_S)
        assert seen != now
        seen = now

    async with asyncio.timeout(NEVER_S / 2):
        for action in (
            lambda: store.launch_batch(TENANT, "b1"),
            store.plan_launched,
            lambda: _settle_one(store, clock),
            lambda: store.cancel_batch(TENANT, "b1"),
            lambda: store.delete_batch(TENANT, "b1", force=False),
        ):
            waiting = asyncio.create_task(changes())
            await asyncio.sleep(0)
            await action()
            await waiting


async def _settle_one(store: Store, clock: Clock) -> None:
    (claim,) = await store.claim("w", max_entries=4)
    assert [True] == await store.settle([deferred(claim, [0], clock.now + 5)])


async def test_a_wait_without_a_change_ends_with_its_time(store: Store) -> None:
    """The revision is the same as before, and 0 is before everything."""
    created = await store.create_batch(TENANT, "b1", SPEC)
    seen = await store.changed(created.batch.key, after=0, timeout_s=NEVER_S)
    assert 0 != seen
    assert seen == await store.changed(created.batch.key, after=seen, timeout_s=0.0)


async def test_a_change_is_seen_by_a_read_that_follows_its_wake(store: Store) -> None:
    """A follower that reads, then waits from the revision before its read, misses nothing."""
    key = await launched(store, 40)
    followed: list[ResultRow] = []

    async def follow() -> None:
        revision, sequence = 0, 0
        while True:
            revision = await store.changed(key, after=revision, timeout_s=NEVER_S)
            page = await store.results_after(TENANT, "b1", sequence, limit=7)
            sequence = page.sequence
            followed.extend(page.rows)
            if not page.caught_up:
                revision = 0
            elif page.state is BatchState.COMPLETED:
                return

    async with asyncio.timeout(NEVER_S / 2), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        tasks.create_task(finish(store, per_claim=4))
    assert list(range(40)) == sorted(result.entry_index for result in followed)


@pytest.mark.parametrize("limit", [1, 7, 256, 1000])
async def test_joined_results_are_the_docs_side_by_side(store: Store, limit: int) -> None:
    """Page by page the same bytes in the same order as row by row."""
    await launched(store, 600)
    await finish(store)
    pages: list[ResultPage] = []
    sequence = 0
    while not pages or not pages[-1].caught_up:
        more = await store.joined_after(
            TENANT, "b1", sequence, limit=limit, max_bytes=1_000_000, pages=3
        )
        assert 1 <= len(more) <= 3
        for page in more:
            assert sequence < page.sequence <= sequence + limit
            sequence = page.sequence
        pages += more
    rows = (await store.results_after(TENANT, "b1", 0, limit=1000)).rows

    assert b"".join(row.doc for row in rows) == b"".join(page.docs for page in pages)
    assert 600 == sequence


async def test_joined_results_keep_to_a_number_of_bytes(store: Store) -> None:
    """A page ends before it grows too large, but never before its first result."""
    await launched(store, 30)
    await finish(store)
    docs = [row.doc for row in (await store.results_after(TENANT, "b1", 0, limit=30)).rows]
    room = len(docs[3]) + len(docs[4])
    (two,) = await store.joined_after(TENANT, "b1", 3, limit=30, max_bytes=room)
    (one,) = await store.joined_after(TENANT, "b1", 3, limit=30, max_bytes=1)

    assert (docs[3] + docs[4], 5, False) == (two.docs, two.sequence, two.caught_up)
    assert (docs[3], 4) == (one.docs, one.sequence)


async def test_every_joined_page_has_room_of_its_own(store: Store) -> None:
    """Pages read at once are as full as if each was read alone, and end behind a megabyte."""
    await launched(store, 30)
    await finish(store)
    docs = [row.doc for row in (await store.results_after(TENANT, "b1", 0, limit=30)).rows]
    room = max(map(len, docs)) * 7
    alone: list[ResultPage] = []
    while not alone or not alone[-1].caught_up:
        place = alone[-1].sequence if alone else 0
        alone += await store.joined_after(TENANT, "b1", place, limit=10, max_bytes=room)

    assert alone == await store.joined_after(
        TENANT, "b1", 0, limit=10, max_bytes=room, pages=len(alone)
    )


async def test_joined_pages_are_sealed_but_for_the_last(store: Store) -> None:
    """What a seal returns for the place behind a page stands behind its bytes."""
    await launched(store, 30)
    await finish(store)
    plain = await store.joined_after(TENANT, "b1", 0, limit=10, max_bytes=10**6, pages=3)
    pages = await store.joined_after(
        TENANT, "b1", 0, limit=10, max_bytes=10**6, pages=3, seal=lambda place: b"<%d>" % place
    )

    expected = [plain[0].docs + b"<10>", plain[1].docs + b"<20>", plain[2].docs]
    assert expected == [page.docs for page in pages]


async def test_pages_are_read_ahead_up_to_a_megabyte(store: Store) -> None:
    """However many pages are asked for, no more are begun when they are large together."""
    await launched(store, 4)
    while claims := await store.claim("w", max_entries=1):
        large = [row(e.entry_index)._replace(doc=bytes(600_000)) for e in claims[0].entries]
        await store.settle([Settlement(claims[0], large, [])])
    pages = await store.joined_after(TENANT, "b1", 0, limit=1, max_bytes=700_000, pages=4)

    assert [1, 2] == [page.sequence for page in pages]


async def test_a_page_leads_back_to_the_one_before(store: Store) -> None:
    """With a filter too: the page after the place that is told has the results before."""
    await launched(store, 20)
    while claims := await store.claim("w", max_entries=1):
        for claim in claims:
            results = [row(one.entry_index, 1 + one.entry_index % 3) for one in claim.entries]
            await store.settle([Settlement(claim, results, [])])
    where = ResultFilter(statuses=frozenset({2}))
    ends, sequence = [0], 0
    while True:
        page = await store.results_after(TENANT, "b1", sequence, limit=2, where=where)
        if page.caught_up:
            break
        sequence = page.sequence
        ends.append(sequence)
    for before, end in pairwise(ends):
        start = await store.page_start(TENANT, "b1", end, limit=2, where=where)
        again = await store.results_after(TENANT, "b1", start, limit=2, where=where)
        first = await store.results_after(TENANT, "b1", before, limit=2, where=where)
        assert (first.rows, end) == (again.rows, again.sequence)
    assert len(ends) > 2
    assert 0 == await store.page_start(TENANT, "b1", 20, limit=99, where=where)
    assert 0 == await store.page_start(TENANT, "b1", 0, limit=2, where=where)
