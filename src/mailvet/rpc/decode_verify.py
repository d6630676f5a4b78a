"""The questions of VerifyStream: protobuf to values, every wrong field named at once."""

from typing import NamedTuple

from mailvet.batches import limits
from mailvet.batches.intake import RawEntry
from mailvet.errors import Violations
from mailvet.rpc import rules
from mailvet.rpc.decode import AnswerAges, answer_ages, check_entry
from mailvet.v1 import verification_service_pb2 as pb


class StreamQuestion(NamedTuple):
    """What is to be verified, and what the answer is found by."""

    id: str
    entry: RawEntry
    view: int
    budget_s: float
    """What the caller grants, in seconds."""
    ages: AnswerAges
    bare_domains: bool


def stream_question(request: pb.VerifyStreamRequest) -> StreamQuestion:
    """Return what one message of VerifyStream asks."""
    wrong = Violations()
    raw = RawEntry(request.input_data, request.custom)
    check_entry(raw, "", wrong)
    rules.check_length(request.id, "id", limits.MAX_CUSTOM_CHARACTERS, wrong)
    view = rules.view(request.view, wrong)
    budget_s = limits.MAX_BUDGET_S
    if request.HasField("budget"):
        budget_s = rules.seconds(request.budget, "budget", 0, limits.MAX_BUDGET_S, wrong)
    ages = answer_ages(request, wrong)
    wrong.raise_if_any()
    return StreamQuestion(request.id, raw, view, budget_s, ages, request.bare_domains)
