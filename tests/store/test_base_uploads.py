"""The contract, for files of batches and labels of entries; over every store."""

import google_crc32c
import pytest

from mailvet.errors import NotFound, OffsetGap, WrongState
from mailvet.model.batch import UploadedFile
from mailvet.store.base import Store
from tests.store.samples import SPEC, TENANT, entries, entry, finish


async def begun(store: Store) -> UploadedFile:
    """Batch `b1`, and its file begun."""
    await store.create_batch(TENANT, "b1", SPEC)
    return await store.open_upload(TENANT, "b1", "list.csv", "{}")


async def content(store: Store) -> bytes:
    """The whole file of `b1`."""
    found, number = b"", 0
    while part := await store.upload_part(TENANT, "b1", number):
        found, number = found + part, number + 1
    return found


async def test_a_file_is_kept_in_pieces(store: Store) -> None:
    """Each append says how much is kept, and its sum."""
    assert UploadedFile("list.csv", "{}") == await begun(store)
    first = await store.append_upload(TENANT, "b1", 0, b"a@a.test\n")
    second = await store.append_upload(TENANT, "b1", 9, b"b@b.test\n")
    assert (9, 18) == (first.size, second.size)
    assert google_crc32c.value(b"a@a.test\nb@b.test\n") == second.crc32c
    assert second == await store.get_upload(TENANT, "b1")
    assert b"a@a.test\nb@b.test\n" == await content(store)


async def test_repeats_are_skipped_and_gaps_refused(store: Store) -> None:
    """Also a piece that is kept in part."""
    await begun(store)
    await store.append_upload(TENANT, "b1", 0, b"0123")
    assert 4 == (await store.append_upload(TENANT, "b1", 0, b"01")).size
    assert 6 == (await store.append_upload(TENANT, "b1", 2, b"2345")).size
    with pytest.raises(OffsetGap):
        await store.append_upload(TENANT, "b1", 7, b"7")
    assert b"012345" == await content(store)


async def test_a_file_goes_into_an_empty_draft(store: Store) -> None:
    """Not beside other entries, and not into a batch that was launched."""
    await store.create_batch(TENANT, "full", SPEC, entries(1))
    with pytest.raises(WrongState):
        await store.open_upload(TENANT, "full", "x", "{}")
    with pytest.raises(NotFound):
        await store.append_upload(TENANT, "full", 0, b"x")
    with pytest.raises(NotFound):
        await store.finish_upload(TENANT, "full", "{}")
    assert await store.get_upload(TENANT, "full") is None
    assert b"" == await store.upload_part(TENANT, "full", 0)


async def test_what_was_read_does_not_change(store: Store) -> None:
    """Settings may change before; afterwards a repeat is fine, more bytes are not."""
    await begun(store)
    await store.append_upload(TENANT, "b1", 0, b"0123")
    assert "[]" == (await store.open_upload(TENANT, "b1", "other", "[]")).options
    await store.append_entries(TENANT, "b1", 0, entries(2))
    await store.finish_upload(TENANT, "b1", "{}")
    kept = await store.open_upload(TENANT, "b1", "third", "")
    assert ("other", "[]", "{}", 4) == (kept.name, kept.options, kept.reading, kept.size)
    assert kept == await store.append_upload(TENANT, "b1", 0, b"0123")
    with pytest.raises(WrongState):
        await store.append_upload(TENANT, "b1", 4, b"4")


async def test_labels_are_kept_with_their_entries(store: Store) -> None:
    """In order, from any index on, as they were appended."""
    texts = [f'{{"n": "{n}"}}' for n in range(5)]
    await store.create_batch(
        TENANT, "b1", SPEC, [entry(f"u{n}")._replace(labels=text) for n, text in enumerate(texts)]
    )
    assert texts[1:3] == list(await store.labels_from(TENANT, "b1", 1, limit=2))
    assert texts == list(await store.labels_from(TENANT, "b1", 0, limit=9))
    assert [] == list(await store.labels_from(TENANT, "b1", 5, limit=9))


async def test_files_are_of_one_tenant(store: Store) -> None:
    """A foreign batch is not found, whatever is asked."""
    await begun(store)
    for asked in (
        store.open_upload("other", "b1", "", ""),
        store.append_upload("other", "b1", 0, b"x"),
        store.get_upload("other", "b1"),
        store.upload_part("other", "b1", 0),
        store.finish_upload("other", "b1", ""),
        store.labels_from("other", "b1", 0, limit=1),
    ):
        with pytest.raises(NotFound):
            await asked


async def test_a_file_goes_with_its_batch(store: Store) -> None:
    """A new batch of that name has none."""
    await begun(store)
    await store.append_upload(TENANT, "b1", 0, b"0123")
    await store.append_entries(TENANT, "b1", 0, entries(2))
    await store.launch_batch(TENANT, "b1")
    await finish(store)
    await store.delete_batch(TENANT, "b1", force=True)
    await store.create_batch(TENANT, "b1", SPEC)
    assert await store.get_upload(TENANT, "b1") is None
    assert b"" == await store.upload_part(TENANT, "b1", 0)
