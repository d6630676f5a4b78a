"""Responses spliced from stored bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.model.batch import ResultRow
from mailvet.rpc import frames
from mailvet.rpc.encode import encode_result
from mailvet.v1 import result_pb2
from mailvet.v1 import result_service_pb2 as pb
from tests.rpc.test_encode import FULL

BASIC, WHOLE, EVIDENCE = (
    result_pb2.RESULT_VIEW_BASIC,
    result_pb2.RESULT_VIEW_FULL,
    result_pb2.RESULT_VIEW_EVIDENCE,
)
ROW = encode_result(FULL)


def rows(sizes: list[int]) -> list[ResultRow]:
    """Rows with docs of about these sizes."""
    docs = [result_pb2.Result(input_data="x" * size).SerializeToString() for size in sizes]
    return [ResultRow(n, 1, 1, frames.framed(doc), len(doc)) for n, doc in enumerate(docs)]


@given(st.lists(st.integers(0, 20_000), max_size=20))
def test_a_spliced_frame_is_what_protobuf_would_write(sizes: list[int]) -> None:
    """Byte for byte the same as the message built the long way."""
    rest = pb.StreamResultsResponse(cursor="abc", done=True)
    expected = pb.StreamResultsResponse(
        results=[result_pb2.Result(input_data="x" * size) for size in sizes],
        cursor="abc",
        done=True,
    )

    spliced = frames.splice(rows(sizes), WHOLE, field=1, rest=rest)
    assert expected.SerializeToString() == spliced


@pytest.mark.parametrize("view", [0, BASIC, WHOLE, EVIDENCE])
def test_a_result_takes_the_bytes_that_are_counted(view: int) -> None:
    """`size` is at least what a result takes, and at most four bytes more."""
    rest = pb.StreamResultsResponse()
    taken = len(frames.splice([ROW], view, field=1, rest=rest))

    assert 0 <= frames.size(ROW, view) - taken <= 4


def test_unspecified_is_the_full_view() -> None:
    """The default is everything but the evidence."""
    assert frames.body(ROW, 0) == frames.body(ROW, WHOLE)
    assert ROW.doc == frames.framed(frames.body(ROW, WHOLE))


@given(st.integers(0, 2**40))
def test_varints(number: int) -> None:
    """Seven bits a byte, the lowest first, the high bit on all but the last."""
    encoded = frames.varint(number)

    assert number == sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded))
    assert [True] * (len(encoded) - 1) + [False] == [byte > 0x7F for byte in encoded]
