"""VerificationService: answers while the caller waits, nothing kept."""

from collections.abc import Sequence
from typing import Any, Protocol

from mailvet.accounts.metering import Meter
from mailvet.batches.limits import MAX_BUDGET_S, MAX_EXPLAIN_S, MIN_HEARTBEAT_S
from mailvet.model.batch import Answered, ResultRow
from mailvet.model.result import Result
from mailvet.model.step import Tell
from mailvet.rpc import decode, explain_stream, frames, verify_stream
from mailvet.rpc.call import Call
from mailvet.rpc.decode import Questions
from mailvet.rpc.decode_verify import StreamQuestion
from mailvet.v1 import verification_service_pb2 as pb

_RESULT = pb.VerifyEmailResponse.RESULT_FIELD_NUMBER
_RESULTS = pb.VerifyEmailsResponse.RESULTS_FIELD_NUMBER


class Verifier(Protocol):
    """Who gives answers at once."""

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

        Answers that the tenant got before are reused when they are at most `max_age_s` old, those
        of all who share when at most `max_shared_age_s`. With `bare_domains` inputs may be domains.
        """
        ...

    async def explain(
        self,
        entry: tuple[str, str],
        budget_s: float,
        tenant: str,
        tell: Tell,
        *,
        bare_domains: bool = False,
    ) -> Result:
        """Return the result of one (input, custom), and tell every step as it happens."""
        ...


class VerificationService:
    """Answers the methods of mailvet.v1.VerificationService."""

    def __init__(
        self, verifier: Verifier, meter: Meter, *, min_heartbeat_s: float = MIN_HEARTBEAT_S
    ) -> None:
        self._verifier = verifier
        self._meter = meter
        self._min_heartbeat_s = min_heartbeat_s

    async def verify_email(
        self, request: pb.VerifyEmailRequest, call: Call[pb.VerifyEmailRequest]
    ) -> bytes:
        """Verify one address."""
        asked = decode.one_question(request)
        rows = await self._verify(asked, call)
        return frames.splice(rows, asked.view, field=_RESULT)

    async def verify_emails(
        self, request: pb.VerifyEmailsRequest, call: Call[pb.VerifyEmailsRequest]
    ) -> bytes:
        """Verify some addresses."""
        asked = decode.questions(request)
        rows = await self._verify(asked, call)
        return frames.splice(rows, asked.view, field=_RESULTS)

    async def verify_stream(self, _request: None, call: Call[pb.VerifyStreamRequest]) -> None:
        """Verify addresses while they come."""

        async def verify(question: StreamQuestion, budget_s: float) -> ResultRow:
            async with self._meter.call(call.tenant, 1) as receipt:
                answers = await self._verifier.verify(
                    [question.entry[:2]],
                    budget_s,
                    call.tenant,
                    max_age_s=question.ages.own_s,
                    max_shared_age_s=question.ages.shared_s,
                    bare_domains=question.bare_domains,
                )
                receipt.answered(answers)
            return answers[0].row

        await verify_stream.answer_all(call, verify)

    async def explain_email(
        self, request: pb.ExplainEmailRequest, call: Call[pb.ExplainEmailRequest]
    ) -> None:
        """Verify one address and stream every step."""
        asked = decode.explained(request, self._min_heartbeat_s)
        budget_s = call.budget_s(MAX_EXPLAIN_S)

        async def explain(tell: Tell) -> Result:
            async with self._meter.call(call.tenant, 1) as receipt:
                result = await self._verifier.explain(
                    asked.entry[:2], budget_s, call.tenant, tell, bare_domains=asked.bare_domains
                )
                receipt.answered([result])
            return result

        await explain_stream.send(call, explain, heartbeat_s=asked.heartbeat_s)

    async def _verify(self, asked: Questions, call: Call[Any]) -> list[ResultRow]:
        budget_s = call.budget_s(MAX_BUDGET_S)
        entries = [entry[:2] for entry in asked.entries]
        distinct = len({text for text, _ in entries})
        async with self._meter.call(call.tenant, distinct) as receipt:
            answers = await self._verifier.verify(
                entries,
                budget_s,
                call.tenant,
                max_age_s=asked.ages.own_s,
                max_shared_age_s=asked.ages.shared_s,
                bare_domains=asked.bare_domains,
            )
            receipt.answered(answers)
        return [answer.row for answer in answers]
