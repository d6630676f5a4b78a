"""What a caller may rely on, checked against what a caller saw: every fault test ends here.

The names are those of etcd's watch guarantees. A history is the frames of one StreamResults call,
or of several, each resumed with the cursor before it.
"""

from collections.abc import Sequence

from mailvet.v1 import batch_pb2, result_service_pb2

Frame = result_service_pb2.StreamResultsResponse
COMPLETED = batch_pb2.BATCH_STATE_COMPLETED


def indexes(frames: Sequence[Frame]) -> list[int]:
    """The entries whose results came, in the order in which they came."""
    return [result.index for frame in frames for result in frame.results]


def ordered(one: Sequence[Frame], other: Sequence[Frame]) -> None:
    """Two readers of one batch see the same results in the same order."""
    shorter = min(len(indexes(one)), len(indexes(other)))
    assert indexes(one)[:shorter] == indexes(other)[:shorter], "readers see different orders"


def unique(frames: Sequence[Frame]) -> None:
    """No entry has two results."""
    seen = indexes(frames)
    assert len(set(seen)) == len(seen), "an entry has two results"


def reliable(frames: Sequence[Frame], entry_count: int) -> None:
    """A stream that says `done` has brought every entry, and says so once, at its end."""
    assert set(range(entry_count)) == set(indexes(frames)), "an entry has no result"
    assert [index for index, frame in enumerate(frames) if frame.done] == [len(frames) - 1]


def atomic(frames: Sequence[Frame]) -> None:
    """Counts and results are of one moment: they add up, cover what came, and never fall."""
    came = last = 0
    for frame in frames:
        progress = frame.progress
        came += len(frame.results)
        if frame.HasField("progress"):
            assert progress.result_count == sum(row.count for row in progress.statuses)
            assert last <= progress.result_count <= progress.entry_count
            assert came <= progress.result_count, "a result came before it was counted"
            last = progress.result_count


def resumable(whole: Sequence[Frame], before: Sequence[Frame], after: Sequence[Frame]) -> None:
    """What came before a cut, and what came with the cursor after it, is the whole."""
    assert indexes(whole) == indexes(before) + indexes(after), "a resumed stream differs"


def bookmarkable(frames: Sequence[Frame]) -> None:
    """Every frame, also one without results, says where to go on."""
    assert all(frame.cursor for frame in frames), "a frame has no cursor"


def complete(frames: Sequence[Frame], entry_count: int) -> None:
    """All that one history of a completed batch can show."""
    unique(frames)
    reliable(frames, entry_count)
    atomic(frames)
    bookmarkable(frames)
