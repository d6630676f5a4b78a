"""Answers at once: the same pipeline as batches, nothing kept, the deadline as the budget."""

import asyncio
from collections.abc import Callable, Sequence

from mailvet.engine.case import Case
from mailvet.engine.judge import Suggest, find, result_of, verdict_of
from mailvet.engine.pipeline import Pipeline
from mailvet.model.result import Result
from mailvet.model.route import MxOutcome
from mailvet.model.status import EntryStatus, QualityLevel

MARGIN_S = 0.25
"""Kept of the budget for concluding and for the way back to the caller."""


class Realtime:
    """Verifies a few addresses while the caller waits."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        suggest: Suggest,
        wall_clock: Callable[[], float],
    ) -> None:
        self._pipeline = pipeline
        self._suggest = suggest
        self._wall_clock = wall_clock

    async def verify(self, entries: Sequence[tuple[str, str]], budget_s: float) -> list[Result]:
        """Return one result for each (input, custom), in order, within the budget in seconds.

        What is not known when the budget ends is answered as a timeout of the step it waited
        for: UNKNOWN, never a word against the address. The same input is asked once.
        """
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        waiting = {text for text, _ in entries}

        def done(case: Case) -> None:
            waiting.discard(case.input_data)
            if not waiting and not answered.done():
                answered.set_result(None)

        cases = {
            text: Case(
                entry_index=0,
                input_data=text,
                custom="",
                duplicate_of=None,
                attempt=0,
                quality=QualityLevel.STANDARD,
                done=done,
            )
            for text in dict.fromkeys(text for text, _ in entries)
        }
        self._pipeline.submit(list(cases.values()), first=True)
        try:
            await asyncio.wait_for(answered, max(0.05, budget_s - MARGIN_S))
        except TimeoutError:
            for case in cases.values():
                _out_of_time(case)
        finally:
            for case in cases.values():
                case.abandoned = True
        return [
            self._result(cases[text], index, custom) for index, (text, custom) in enumerate(entries)
        ]

    def _result(self, case: Case, index: int, custom: str) -> Result:
        case.entry_index, case.custom = index, custom
        findings = find(case)
        return result_of(
            case,
            findings,
            verdict_of(case, findings),
            now=self._wall_clock(),
            suggest=self._suggest,
        )


def _out_of_time(case: Case) -> None:
    if case.concluded:
        return
    answer = case.card.answer if case.card is not None else None
    if answer is None:
        case.forced = EntryStatus.DNS_QUERY_TIMEOUT
    elif answer.outcome in (MxOutcome.EXCHANGERS, MxOutcome.IMPLICIT):
        accepted = (
            case.seen is not None and case.seen.reply is not None and case.seen.reply.positive
        )
        if not accepted:
            case.forced = EntryStatus.MAILBOX_VALIDATION_TIMEOUT
        else:
            case.forced = EntryStatus.CATCH_ALL_VALIDATION_TIMEOUT
