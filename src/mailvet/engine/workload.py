"""What is under way for batches: chunks that were claimed, and what was learnt of them so far.

Every entry passes here twice, on its way to the pipeline and back, so nothing here waits.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from mailvet.engine.answers import Answers
from mailvet.engine.case import Case, DomainCard
from mailvet.engine.chunk import Chunk
from mailvet.engine.encoder import Plain
from mailvet.engine.herds import Classify, Herd, Herding
from mailvet.engine.pipeline import Pipeline
from mailvet.engine.recall import Recall, of_claim
from mailvet.engine.retry import RetrySchedule
from mailvet.model.batch import Claim, WorkEntry
from mailvet.model.status import EntryStatus

_LOG = structlog.get_logger(room="engine")


class Workload:
    """Begins claims, and gathers the answers of their entries by chunk."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        answers: Answers,
        recall: Recall,
        schedule: RetrySchedule,
        wall_clock: Callable[[], float],
    ) -> None:
        self._pipeline = pipeline
        self._answers = answers
        self._recall = recall
        self._schedule = schedule
        self._wall_clock = wall_clock
        self._herding = Herding()
        self.in_flight = 0
        """Entries that were claimed and have no answer yet."""
        self.room = asyncio.Event()
        """Set whenever there are fewer of them."""
        self.stopping = False
        """Whether nothing more is taken in."""
        # By fence: a chunk whose lease ran out may be claimed again while its old cases still come.
        self.chunks: dict[int, Chunk] = {}
        self.dirty: dict[int, Chunk] = {}
        """Of which something was learnt that is not kept yet."""
        self.something_learnt = asyncio.Event()

    def take_dirty(self) -> dict[int, Chunk]:
        """Hand over the chunks of which something was learnt."""
        taken, self.dirty = self.dirty, {}
        return taken

    def forget(self, fences: Sequence[int]) -> None:
        """Drop chunks that are answered and kept."""
        for fence in fences:
            ended = self.chunks.pop(fence, None)
            if ended is not None:
                ended.cases = []  # they name it: a circle that only the collector would free

    def begin(self, claim: Claim) -> None:
        """Answer what can be answered at once, and hand the rest to the pipeline."""
        chunk = Chunk(claim, of_claim(self._recall, claim))
        self.chunks[claim.fence] = chunk
        if claim.poisoned:
            self._give_up(chunk)
            self._free(len(claim.entries))
            return
        chunk.rows, entries = self._answers.offhand.answer(claim, self._wall_clock())
        chunk.open = len(entries)
        if chunk.rows:
            self._learnt(chunk)
        self._free(len(claim.entries) - chunk.open)
        cases = partial(self._cases, chunk)
        if chunk.is_plain:
            answer = partial(self._answer_herd, chunk)
            herds, entries = self._herding.part(claim, entries, answer, cases)
            for herd in herds:
                self._pipeline.submit_herd(herd)
        self._pipeline.submit(cases(entries))

    def _cases(self, chunk: Chunk, entries: Sequence[WorkEntry]) -> list[Case]:
        """Return cases of entries of a chunk."""
        claim, done = chunk.claim, self._done
        attempt, quality = claim.attempt, claim.quality
        cases = [  # not by keyword: that takes twice as long
            Case(index, input_data, custom, original, attempt, quality, done, chunk)
            for index, input_data, custom, original in entries
        ]
        for case in cases:
            case.tenant = claim.tenant
            case.batch_key = claim.batch_key
        if not chunk.is_plain:
            for case in cases:
                case.policy = chunk.policy
                case.recall = chunk.recall
                case.takes_domains = claim.bare_domains
        chunk.add(cases)
        return cases

    def _answer_herd(
        self, chunk: Chunk, herd: Herd, card: DomainCard, classify: Classify
    ) -> list[Plain]:
        """Answer plain entries of a domain that is dead; return those that are left."""
        rows, left = self._answers.of_herd(herd, card, classify, self._wall_clock())
        chunk.open -= len(rows)
        self._free(len(rows))
        if not chunk.lost and not self.stopping:
            chunk.rows += rows
        self._learnt(chunk)
        return left

    def _free(self, entries: int) -> None:
        """Note that there is room in the window for so many more."""
        self.in_flight -= entries
        self.room.set()

    def _learnt(self, chunk: Chunk) -> None:
        self.dirty[chunk.claim.fence] = chunk
        self.something_learnt.set()

    def _give_up(self, chunk: Chunk) -> None:
        """Answer as a fault of ours what processes died over."""
        claim, now = chunk.claim, self._wall_clock()
        _LOG.error("entry.poisoned", batch_key=claim.batch_key, entries=len(claim.entries))
        for entry in claim.entries:
            case = Case(*entry, claim.attempt, claim.quality, self._done, chunk)
            chunk.rows.append(self._answers.fault(case, now))
        chunk.open = 0
        self._learnt(chunk)

    def _done(self, case: Case) -> None:
        chunk = case.owner
        assert isinstance(chunk, Chunk)
        chunk.open -= 1
        self._free(1)
        if not chunk.lost and not self.stopping and not case.abandoned:
            try:
                self._conclude(case, chunk)
            except Exception as error:
                _LOG.error("conclude.failed", error=type(error).__name__, exc_info=True)
                chunk.rows.append(self._answers.fault(case, self._wall_clock()))
        self._learnt(chunk)

    def _conclude(self, case: Case, chunk: Chunk) -> None:
        answer = self._answers.of(case, self._wall_clock())
        if answer.may_change:
            wait_s = self._schedule.wait_s(case.quality, case.attempt)
            if wait_s is not None:
                chunk.deferred.append((case.entry_index, self._wall_clock() + wait_s))
                return
        if case.recall is not None:
            status = EntryStatus(answer.row.status)
            may_change = answer.may_change
            self._recall.remember(
                chunk.claim.tenant,
                case,
                status,
                may_change=may_change,
                shared=chunk.claim.max_shared_age_s > 0,
            )
            if case.remembered_at is not None:
                chunk.recalled.append(case.entry_index)
        chunk.rows.append(answer.row)
