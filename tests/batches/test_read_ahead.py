"""Pages read before they are asked for."""

import asyncio

import pytest

from mailvet.batches.read_ahead import READ_AHEAD, READ_AHEAD_S, ReadAhead
from mailvet.errors import NotFound
from mailvet.model.batch import ResultPage
from mailvet.model.status import BatchState


class Log:
    """A log of so many pages of one result each, and every read of it."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.now = 0.0
        self.reads: list[tuple[int, int]] = []
        self.cancelled = 0
        self.gate: asyncio.Event | None = None
        self.deleted = False

    async def read(self, sequence: int, most: int) -> list[ResultPage]:
        """Return pages after a sequence."""
        self.reads.append((sequence, most))
        if self.gate is not None:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if self.deleted:
            raise NotFound("batch", "b")
        last = min(self.length, sequence + most)
        return [
            ResultPage([], number, number == self.length, BatchState.RUNNING, b"x")
            for number in range(sequence + 1, last + 1)
        ] or [ResultPage([], sequence, True, BatchState.RUNNING)]

    def reader(self, limit: int = READ_AHEAD // 4) -> ReadAhead:
        """Return a reader of it from the start that reads four pages at once."""
        return ReadAhead(self.read, 0, limit=limit, clock=lambda: self.now)


async def test_the_next_pages_are_on_their_way_before_they_are_asked_for() -> None:
    """A first page alone, then some at once; the next are read when half of those are gone."""
    log = Log(30)
    reader = log.reader()
    seen = []
    for _ in range(30):
        seen.append((await reader.next()).sequence)
        await asyncio.sleep(0)  # what is on its way arrives
    assert list(range(1, 31)) == seen
    assert [(0, 1), *((1 + 4 * turn, 4) for turn in range(8))] == log.reads


async def test_what_is_not_taken_soon_is_read_again() -> None:
    """A slow reader gets one page at a time, fresh from the store."""
    log = Log(30)
    reader = log.reader()
    for _ in range(5):
        await reader.next()
        log.now += 2 * READ_AHEAD_S
    assert [(place, 1) for place in range(5)] == log.reads


async def test_no_more_is_read_at_once_than_the_reader_takes() -> None:
    """It grows while the reader keeps up; of what gets stale, half of what was taken is enough."""
    log = Log(1000)
    reader = log.reader(limit=READ_AHEAD // 256)
    for _ in range(40):
        await reader.next()
        await asyncio.sleep(0)
    assert [1, 4, 16, 64] == [most for _, most in log.reads]
    log.now += 2 * READ_AHEAD_S
    await reader.next()

    assert (40, 9) == log.reads[-1]  # 19 were taken of the last ones


async def test_what_was_read_ahead_too_long_ago_is_dropped() -> None:
    """A reader who stops amid pages that were read ahead does not get the stale ones."""
    log = Log(30)
    reader = log.reader()
    for _ in range(4):
        await reader.next()
        await asyncio.sleep(0)
    log.now += 2 * READ_AHEAD_S
    log.deleted = True
    with pytest.raises(NotFound):
        await reader.next()


async def test_a_deleted_batch_is_heard_of_with_the_next_pages() -> None:
    """The pages on their way are refused: those that were read before still come, then the end."""
    log = Log(30)
    reader = log.reader()
    await reader.next()
    await reader.next()
    log.deleted = True
    assert [3, 4, 5] == [(await reader.next()).sequence for _ in range(3)]
    with pytest.raises(NotFound):
        await reader.next()


async def test_closing_ends_what_is_on_its_way() -> None:
    """Nothing goes on for a reader who has left."""
    log = Log(30)
    reader = log.reader()
    await reader.next()
    await reader.next()
    log.gate = asyncio.Event()
    await reader.next()
    await asyncio.sleep(0)
    reader.close()
    await asyncio.sleep(0)

    assert 3 == len(log.reads)
    assert 1 == log.cancelled
