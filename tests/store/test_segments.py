"""Results packed into segments."""

from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.batch import ResultFilter, ResultRow
from mailvet.store import segments
from mailvet.store.segments import Heads

ROWS = st.lists(
    st.builds(
        ResultRow,
        st.integers(0, 2**32 - 1),
        st.integers(0, 999),
        st.integers(0, 4),
        st.binary(max_size=40),
        st.integers(0, 40),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=20,
)


@given(ROWS)
def test_what_is_packed_comes_out_again(rows: list[ResultRow]) -> None:
    """Every number and every byte of every result, in order."""
    assert rows == segments.unpack(segments.pack(rows))


@given(ROWS, st.integers(1, 25), st.integers(0, 200), st.data())
def test_docs_are_joined_in_bounds(
    rows: list[ResultRow], limit: int, max_bytes: int, data: st.DataObject
) -> None:
    """As many as fit and one at least, the bytes as they were."""
    start = data.draw(st.integers(0, len(rows) - 1))
    segment = segments.pack(rows)
    docs = segments.Docs(segment.heads, segment.docs)
    docs.skip(start)
    count, taken = docs.take(limit, max_bytes, at_least=1)
    following = [row.doc for row in rows[start : start + limit]]

    assert b"".join(following[:count]) == taken
    assert 1 <= count <= len(following)
    assert count == 1 or len(taken) <= max_bytes
    assert count == len(following) or len(b"".join(following[: count + 1])) > max_bytes
    assert len(rows) - start - count == docs.left


@given(ROWS, st.integers(1, 25), st.integers(0, 200))
def test_docs_are_taken_one_part_after_the_other(
    rows: list[ResultRow], limit: int, max_bytes: int
) -> None:
    """Nothing is left out, and what does not fit is there for the next part."""
    segment = segments.pack(rows)
    docs = segments.Docs(segment.heads, segment.docs)
    taken = b""
    while docs.left:
        left = docs.left
        count, part = docs.take(limit, max_bytes)
        if not count:
            count, part = docs.take(limit, max_bytes, at_least=1)
        taken += part
        assert left == docs.left + count

    assert segment.docs == taken


@given(ROWS)
def test_runs_fit_a_segment(rows: list[ResultRow]) -> None:
    """Nothing is lost between two segments."""
    many = rows * 60
    runs = list(segments.cut(many))

    assert many == [row for run in runs for row in run]
    assert max(map(len, runs)) <= segments.SEGMENT_ROWS


@given(ROWS, st.frozensets(st.integers(0, 4)), st.frozensets(st.integers(0, 999)))
def test_a_filter_is_asked_of_the_heads(
    rows: list[ResultRow], classifications: frozenset[int], excluded: frozenset[int]
) -> None:
    """The positions are those of the rows that pass."""
    where = ResultFilter(classifications=classifications, exclude_statuses=excluded)
    expected = [
        position
        for position, row in enumerate(rows)
        if (not classifications or row.classification in classifications)
        and row.status not in excluded
    ]

    assert expected == Heads(segments.pack(rows).heads).passing(where)
