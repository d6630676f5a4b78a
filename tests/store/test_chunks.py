"""Cutting and dividing, without a store."""

from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.batch import Claim, Deferral, Settlement
from mailvet.model.status import QualityLevel
from mailvet.store.chunks import cut, divide, from_blob, packed, spread, to_blob
from tests.store.samples import row

INDEXES = st.lists(st.integers(0, 2**32 - 1), max_size=50)


def settlement(results: list[int], deferrals: list[list[int]]) -> Settlement:
    """Return a settlement of some claim."""
    claim = Claim(
        chunk=1,
        fence=1,
        batch_key=1,
        tenant="",
        quality=QualityLevel.STANDARD,
        attempt=0,
        first_attempt_at=None,
        entries=(),
    )
    waits = [Deferral(tuple(indexes), 1.0) for indexes in deferrals]
    return Settlement(claim, [row(index) for index in results], waits)


@given(INDEXES)
def test_packed_indexes_survive_their_bytes(indexes: list[int]) -> None:
    """Four bytes each, the lowest first."""
    blob = to_blob(packed(indexes))
    assert b"".join(index.to_bytes(4, "little") for index in indexes) == blob
    assert indexes == list(from_blob(blob))


@given(INDEXES, st.integers(1, 9))
def test_a_cut_loses_nothing_and_keeps_the_order(indexes: list[int], size: int) -> None:
    """Every chunk is full but the last, which is not empty."""
    chunks = [list(chunk.indexes) for chunk in cut(packed(indexes), size)]
    assert indexes == [index for chunk in chunks for index in chunk]
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


def test_duplicates_keep_their_originals_beside_them() -> None:
    """Two chunks of three pairs."""
    first, second = cut(packed((5, 6, 7)), 2, packed((1, 2, 1)))
    assert ([5, 6], [1, 2]) == (list(first.indexes), list(first.originals or []))
    assert ([7], [1]) == (list(second.indexes), list(second.originals or []))


def test_spreading_takes_any_run_of_chunks_from_all_over_the_batch() -> None:
    """Of a hundred chunks, each ten neighbours come from at least seven tenths of it."""
    chunks = list(cut(packed(range(100)), 1))
    order = [chunk.indexes[0] for chunk in spread(chunks)]
    assert list(range(100)) == sorted(order)
    runs = [order[start : start + 10] for start in range(91)]
    assert 7 <= min(len({index // 10 for index in run}) for run in runs)


@given(
    st.lists(st.integers(0, 30), unique=True),
    st.lists(st.integers(0, 30)),
    st.lists(st.lists(st.integers(0, 30))),
)
def test_dividing_gives_every_index_one_place(
    indexes: list[int], results: list[int], deferrals: list[list[int]]
) -> None:
    """Results, deferrals and the rest are the chunk again, and results come before deferrals."""
    parts = divide(packed(indexes), settlement(results, deferrals))
    settled = [result.entry_index for result in parts.results]
    waiting = [index for deferral in parts.deferrals for index in deferral.indexes]
    assert sorted(indexes) == sorted([*settled, *waiting, *parts.rest])
    assert set(settled) == set(indexes) & set(results)
    assert all(deferral.indexes for deferral in parts.deferrals)
