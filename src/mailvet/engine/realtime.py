"""Answers at once: the same pipeline as batches, nothing kept, the deadline as the budget."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from mailvet.engine.answers import Answer, Answers
from mailvet.engine.case import Case
from mailvet.engine.judge import Judge, find
from mailvet.engine.pipeline import Pipeline
from mailvet.engine.recall import Recall
from mailvet.model.batch import Answered
from mailvet.model.finding import Finding
from mailvet.model.result import Result
from mailvet.model.route import MxOutcome
from mailvet.model.ruling import TenantRules
from mailvet.model.status import EntryStatus, Fact, QualityLevel
from mailvet.model.step import CatchAllKnown, Judged, Scored, Tell
from mailvet.verdict.policy import policy_of

MARGIN_S = 0.25
"""Kept of the budget for concluding and for the way back to the caller."""


class Realtime:
    """Verifies a few addresses while the caller waits."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        answers: Answers,
        judge: Judge,
        recall: Recall,
        rules_of: Callable[[str], Awaitable[TenantRules]],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`rules_of(tenant)` tells what a tenant decides itself; `clock` is the engine's monotonic
        one, in seconds."""
        self._rules_of = rules_of
        self._pipeline = pipeline
        self._answers = answers
        self._judge = judge
        self._recall = recall
        self._clock = clock
        self._wall_clock = wall_clock

    async def verify(
        self,
        entries: Sequence[tuple[str, str]],
        budget_s: float,
        tenant: str,
        *,
        max_age_s: float = 0.0,
        max_shared_age_s: float = 0.0,
        bare_domains: bool = False,
    ) -> list[Answered]:
        """Return one answer for each (input, custom), in order, within the budget in seconds.

        The tenant's rules apply. Answers it got before are reused when they are at most `max_age_s`
        old, answers that are shared when they are at most `max_shared_age_s` old; with more than 0
        it shares its own. With `bare_domains` inputs may be domains. What is not known when the
        budget ends is answered as a timeout of the step it waited for: UNKNOWN, never a word
        against the address. The same input is asked once.
        """
        recall = None
        if max_age_s > 0 or max_shared_age_s > 0:
            recall = self._recall.within(tenant, max_age_s, max_shared_age_s)
        texts = [text for text, _ in entries]
        cases = await self._carry_out(
            texts, budget_s, tenant, recall=recall, bare_domains=bare_domains
        )
        now = self._wall_clock()
        answered = []
        for index, (text, custom) in enumerate(entries):
            case = cases[text]
            case.entry_index, case.custom = index, custom
            answer = self._answers.of(case, now)
            if case.remembered_at is None:
                self._remember(tenant, case, answer, shared=max_shared_age_s > 0)
            from_cache = case.remembered_at is not None
            answered.append(Answered(text, answer.row.status, from_cache, answer.row))
        return answered

    def _remember(self, tenant: str, case: Case, answer: Answer, *, shared: bool) -> None:
        status = EntryStatus(answer.row.status)
        self._recall.remember(tenant, case, status, may_change=answer.may_change, shared=shared)

    async def explain(
        self,
        entry: tuple[str, str],
        budget_s: float,
        tenant: str,
        tell: Tell,
        *,
        bare_domains: bool = False,
    ) -> Result:
        """Verify one (input, custom) as `verify` does, and tell every step as it happens.

        Exchangers are asked about it in a session of its own, which ends with this call.
        """
        text, custom = entry
        cases = await self._carry_out([text], budget_s, tenant, tell, bare_domains=bare_domains)
        case = cases[text]
        case.custom = custom
        findings = find(case)
        result = self._result(case, findings)
        self._tell_what_decides(case, findings, result, tell)
        return result

    def _tell_what_decides(
        self, case: Case, findings: Sequence[Finding], result: Result, tell: Tell
    ) -> None:
        card = case.card
        if card is not None and case.seen and card.catch_all is not Fact.NOT_LOOKED_AT:
            tell(CatchAllKnown(card.catch_all, self._clock() - card.catch_all_at))
        for finding in findings:
            tell(Judged(finding))
        for point in result.risk_points:
            tell(Scored(point))

    async def _carry_out(
        self,
        texts: Sequence[str],
        budget_s: float,
        tenant: str,
        tell: Tell | None = None,
        recall: Callable[[Case], bool] | None = None,
        *,
        bare_domains: bool,
    ) -> dict[str, Case]:
        """Let the pipeline work on each distinct input until the budget ends; nothing goes on."""
        answered: asyncio.Future[None] | None = None
        waiting = set(texts)

        def done(case: Case) -> None:
            waiting.discard(case.input_data)
            if not waiting and answered is not None and not answered.done():
                answered.set_result(None)

        policy = policy_of((), await self._rules_of(tenant))
        cases = {text: _case(text, done) for text in dict.fromkeys(texts)}
        for case in cases.values():
            case.tenant = tenant
            case.policy, case.tell, case.recall = policy, tell, recall
            case.takes_domains = bare_domains
        self._pipeline.submit(list(cases.values()), first=True)
        try:
            if waiting:  # a timer costs more than what was decided at once
                answered = asyncio.get_running_loop().create_future()
                await asyncio.wait_for(answered, max(0.05, budget_s - MARGIN_S))
        except TimeoutError:
            for case in cases.values():
                _out_of_time(case)
        finally:
            for case in cases.values():
                case.abandon()
        return cases

    def _result(self, case: Case, findings: list[Finding]) -> Result:
        verdict = self._judge.verdict(case, findings)
        return self._judge.result(case, findings, verdict, now=self._wall_clock())


def _case(text: str, done: Callable[[Case], None]) -> Case:
    return Case(
        entry_index=0,
        input_data=text,
        custom="",
        duplicate_of=None,
        attempt=0,
        quality=QualityLevel.STANDARD,
        done=done,
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
