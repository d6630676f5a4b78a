"""Filling a batch."""

import pytest

from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.upload import Chunk, Upload
from mailvet.errors import OffsetGap, QuotaExceeded
from mailvet.model.batch import BatchSpec
from mailvet.store.base import Store
from tests.batches.engine import work


async def begin(store: Store, max_entries: int = 100) -> Upload:
    """An upload into a new, empty batch `b`."""
    created = await store.create_batch("acme", "b", BatchSpec())
    return Upload(store, Intake(store.secret), created.batch, max_entries=max_entries)


def raws(start: int, end: int) -> list[RawEntry]:
    return [RawEntry(f"u{n}@example.org") for n in range(start, end)]


async def kept(store: Store) -> list[str]:
    """What the batch holds, read back through its results."""
    await store.launch_batch("acme", "b")
    await work(store)
    page = await store.results_after("acme", "b", 0, limit=1000)
    return [row.doc.decode("latin-1") for row in sorted(page.rows)]


async def check_kept(store: Store, count: int) -> None:
    """Check that the batch holds u0 to u<count-1>, each once, in order."""
    docs = await kept(store)

    assert count == len(docs)
    assert all(f"u{n}@example.org" in doc for n, doc in enumerate(docs))


async def test_chunks_without_offsets_follow_each_other(store: Store) -> None:
    """The simplest upload: one chunk after the other."""
    upload = await begin(store)

    assert await upload.append([Chunk(None, raws(0, 3))]) == 3
    assert await upload.append([Chunk(None, raws(3, 5)), Chunk(None, raws(5, 6))]) == 6
    await check_kept(store, 6)


async def test_repeats_are_skipped(store: Store) -> None:
    """After a lost ack the same chunk, or an overlapping one, is kept once."""
    upload = await begin(store)
    await upload.append([Chunk(0, raws(0, 4))])

    assert await upload.append([Chunk(0, raws(0, 4))]) == 4
    assert await upload.append([Chunk(2, raws(2, 7)), Chunk(None, raws(7, 8))]) == 8
    assert await upload.append([Chunk(5, raws(5, 6)), Chunk(6, raws(6, 9))]) == 9
    await check_kept(store, 9)


async def test_a_repeat_before_more_goes_on_from_the_repeat(store: Store) -> None:
    """A chunk without an offset follows the chunk before, not the end of the batch."""
    upload = await begin(store)
    await upload.append([Chunk(0, raws(0, 6))])
    await upload.append([Chunk(2, raws(2, 4))])

    assert await upload.append([Chunk(None, raws(4, 8))]) == 8
    await check_kept(store, 8)


async def test_a_gap_is_refused(store: Store) -> None:
    """A chunk beyond the end says where to go on."""
    upload = await begin(store)
    await upload.append([Chunk(0, raws(0, 2))])

    with pytest.raises(OffsetGap) as caught:
        await upload.append([Chunk(5, raws(5, 6))])
    assert "2" == caught.value.metadata["expected"]


async def test_an_empty_chunk_asks_where_to_go_on(store: Store) -> None:
    """A chunk without entries changes nothing and returns the durable count."""
    first = await begin(store)
    second = Upload(store, Intake(store.secret), await store.get_batch("acme", "b"))
    await first.append([Chunk(None, raws(0, 3))])

    assert await second.append([Chunk(None, [])]) == 3
    assert await second.append([Chunk(None, raws(3, 4))]) == 4


async def test_an_empty_chunk_with_an_offset_sets_the_place(store: Store) -> None:
    """A client may name its place first and send entries after."""
    upload = await begin(store)
    await upload.append([Chunk(0, raws(0, 4))])

    assert await upload.append([Chunk(2, []), Chunk(None, raws(2, 5))]) == 5
    await check_kept(store, 5)


async def test_a_batch_does_not_grow_without_end(store: Store) -> None:
    """Above the limit entries are refused, and the batch stays as it was."""
    upload = await begin(store, max_entries=5)
    await upload.append([Chunk(None, raws(0, 4))])

    with pytest.raises(QuotaExceeded) as caught:
        await upload.append([Chunk(None, raws(4, 6))])
    assert "entries_per_batch" == caught.value.subject
    assert 4 == (await store.get_batch("acme", "b")).entry_count
