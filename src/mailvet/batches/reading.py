"""A batch's results as a log: read after a place, in bounded pages, followed while it grows.

Hardly anything is buffered: what a reader does not take soon is read again (`read_ahead`).
"""

import asyncio
import json
from collections.abc import Callable
from typing import NamedTuple

from mailvet.batches.drain import Drain
from mailvet.batches.pause import Pause
from mailvet.batches.read_ahead import ReadAhead
from mailvet.batches.summary import Names, Summary, summarize
from mailvet.batches.watch import ENDED, Observer, Standing
from mailvet.model.batch import Batch, EntryPlace, ResultFilter, ResultPage, ResultRow
from mailvet.store.base import Seal, Store, unsealed

FRAME_GAP_S = 0.05
"""At the live edge a frame waits this long for company: many commits, one frame."""
MAX_EMPTY_READS = 20
"""How often one page is sought behind rows that a filter holds back."""


class Want(NamedTuple):
    """What one caller wants to read of a batch."""

    where: ResultFilter | None
    limit: int
    """Results a frame or page, at most."""
    max_bytes: int
    """Bytes a frame or page, at most; one result always fits."""
    size: Callable[[ResultRow], int]
    """How many bytes a result takes."""
    joined: bool = False
    """Whether stored bytes side by side will do; there is no filter then."""
    seal: Seal = unsealed
    """What makes a frame of those; returns what is behind them."""


class Following(NamedTuple):
    """How a reader goes on at the live edge."""

    follow: bool
    """Whether to go on while the batch runs."""
    heartbeat_s: float
    drain: Drain


class LogFrame(NamedTuple):
    """One frame of results; `sequence` is the place after it."""

    rows: list[ResultRow]
    sequence: int
    caught_up: bool
    done: bool = False
    going_away: bool = False
    standing: Standing | None = None
    """In heartbeats and in the last frame."""
    docs: bytes = b""
    """In place of rows, where the caller wanted them joined; sealed unless it is caught up."""


class Results:
    """The results of every batch, over one store; `clock` is monotonic seconds."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        *,
        clock: Callable[[], float],
        gap_s: float = FRAME_GAP_S,
    ) -> None:
        self._store = store
        self._observer = observer
        self.clock = clock
        self.gap_s = gap_s

    async def page(self, batch: Batch, sequence: int, want: Want) -> ResultPage:
        """Return one page after `sequence`, cut so that its bytes stay in bounds.

        With a filter it may be empty and not caught up: much was held back; go on after it.
        """
        return (await self.pages(batch, sequence, want, 1))[0]

    async def pages(self, batch: Batch, sequence: int, want: Want, most: int) -> list[ResultPage]:
        """Return pages after `sequence`, at least one and at most `most` where they are cheap."""
        if want.joined:
            return await self._store.joined_after(
                batch.tenant,
                batch.batch_id,
                sequence,
                limit=want.limit,
                max_bytes=want.max_bytes,
                pages=most,
                seal=want.seal,
            )
        page = await self._read(batch, sequence, want)
        for _ in range(MAX_EMPTY_READS):
            if page.rows or page.docs or page.caught_up:
                break
            page = await self._read(batch, page.sequence, want)
        return [page]

    async def page_start(self, batch: Batch, sequence: int, want: Want) -> int:
        """Return after which sequence the page before the one after `sequence` begins."""
        if want.where is None:
            return max(0, sequence - want.limit)
        return await self._store.page_start(
            batch.tenant, batch.batch_id, sequence, limit=want.limit, where=want.where
        )

    async def _read(self, batch: Batch, sequence: int, want: Want) -> ResultPage:
        page = await self._read_rows(batch, sequence, want.limit, want.where)
        fitting = _fitting(page.rows, want)
        if fitting == len(page.rows):
            return page
        # Only the store knows the sequence of a row amid a page, so it is asked again.
        return await self._read_rows(batch, sequence, fitting, want.where)

    async def _read_rows(
        self, batch: Batch, sequence: int, limit: int, where: ResultFilter | None
    ) -> ResultPage:
        return await self._store.results_after(
            batch.tenant, batch.batch_id, sequence, limit=limit, where=where
        )

    async def of(self, tenant: str, batch_id: str, index: int) -> EntryPlace:
        """Return where one entry stands; raises `NotFound`."""
        return await self._store.result_of(tenant, batch_id, index)

    async def labels_of(self, tenant: str, batch_id: str, index: int) -> dict[str, str]:
        """Return the other columns of the row that one entry came from."""
        (text, *_) = await self._store.labels_from(tenant, batch_id, index, limit=1) or ("",)
        found: dict[str, str] = json.loads(text) if text else {}
        return found

    async def find(self, tenant: str, batch_id: str, custom: str) -> int:
        """Return the index of the first entry with a caller's own key; raises `NotFound`."""
        return await self._store.find_custom(tenant, batch_id, custom)

    async def summary(self, batch: Batch, where: ResultFilter | None, names: Names) -> Summary:
        """Count the results of a batch that pass."""
        return await summarize(self._store, batch, where, names)

    async def look(self, batch: Batch) -> Standing:
        """Return how a batch stands."""
        return await self._observer.look(batch.tenant, batch.batch_id)

    async def changed(self, batch: Batch, revision: int, timeout_s: float) -> int:
        """Wait for a change after `revision`; return the revision then."""
        return await self._store.changed(batch.key, after=revision, timeout_s=timeout_s)

    def log(self, batch: Batch, sequence: int, want: Want, how: Following) -> "ResultLog":
        """Return a reader of a batch's log that starts after `sequence`."""
        return ResultLog(self, batch, sequence, want, how)


def _fitting(rows: list[ResultRow], want: Want) -> int:
    total = 0
    for count, row in enumerate(rows):
        total += want.size(row)
        if total > want.max_bytes and count:
            return count
    return len(rows)


class ResultLog:
    """One caller reading one batch's log from a place on."""

    def __init__(
        self, results: Results, batch: Batch, sequence: int, want: Want, how: Following
    ) -> None:
        self._results = results
        self._batch = batch
        self._sequence = sequence
        self._want = want
        self._how = how
        self._pause = Pause(results.clock, results.gap_s)
        self._spoke_at = results.clock()
        self._said_caught_up = False
        self._revision = 0
        self._ended = False
        self._pages = ReadAhead(
            lambda place, most: results.pages(batch, place, want, most),
            sequence,
            limit=want.limit,
            clock=results.clock,
        )

    def at_hand(self) -> bytes:
        """Return the next frame if it was read ahead and is sealed; empty when it is not."""
        if self._how.drain.begun:
            return b""
        page = self._pages.at_hand()
        if page is None:
            return b""
        self._sequence = page.sequence
        self._spoke_at = self._results.clock()
        self._said_caught_up = False
        return page.docs

    async def next(self) -> LogFrame | None:
        """Return the next frame, as soon as there is something to say; None after the last."""
        while not self._ended:
            if self._how.drain.begun:
                return await self._last(LogFrame([], self._sequence, False, going_away=True))
            # The revision we wait after is older than this page: nothing is missed.
            page = await self._pages.next()
            self._sequence = page.sequence
            frame = await self._frame(page)
            if frame is not None:
                self._spoke_at = self._results.clock()
                return frame
            await self._wait(page)
        return None

    def close(self) -> None:
        """Let go of what was read ahead."""
        self._pages.close()

    async def _frame(self, page: ResultPage) -> LogFrame | None:
        done = page.caught_up and page.state in ENDED
        frame = LogFrame(page.rows, page.sequence, page.caught_up, done, docs=page.docs)
        if done or (page.caught_up and not self._how.follow):
            return await self._last(frame)
        if page.rows or page.docs or (page.caught_up and not self._said_caught_up):
            self._said_caught_up = page.caught_up
            return frame
        if self._results.clock() - self._spoke_at >= self._how.heartbeat_s:
            return frame._replace(standing=await self._results.look(self._batch))
        return None

    async def _last(self, frame: LogFrame) -> LogFrame:
        self._ended = True
        return frame._replace(standing=await self._results.look(self._batch))

    async def _wait(self, page: ResultPage) -> None:
        if not page.caught_up:
            await asyncio.sleep(0)
            return
        drain = self._how.drain
        await drain.unless(self._pause.keep())
        left_s = max(0.0, self._spoke_at + self._how.heartbeat_s - self._results.clock())
        revision = await drain.unless(self._results.changed(self._batch, self._revision, left_s))
        self._revision = self._revision if revision is None else revision
        self._pause.start()
