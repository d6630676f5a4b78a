"""What is done with some results of a batch: which to count, which to verify again."""

from typing import NamedTuple

from mailvet.batches import limits
from mailvet.batches.ids import is_own_id
from mailvet.batches.reverify import Reverify
from mailvet.errors import Violations
from mailvet.model.batch import ResultFilter
from mailvet.model.status import QualityLevel
from mailvet.rpc import rules
from mailvet.rpc.decode import result_filter
from mailvet.v1 import result_service_pb2 as pb

DEFAULT_NAMES = 50
MAX_NAMES = 1_000
"""A response of so many domains is some 50 KB."""


class Counted(NamedTuple):
    """What SummarizeResults asks for."""

    where: ResultFilter | None
    max_names: int


def summary(request: pb.SummarizeResultsRequest) -> Counted:
    """Return what SummarizeResults asks for."""
    wrong = Violations()
    most = request.max_names or DEFAULT_NAMES
    rules.check_range(most, "max_names", 1, MAX_NAMES, wrong)
    counted = Counted(result_filter(request.filter, wrong), most)
    wrong.raise_if_any()
    return counted


def reverify(request: pb.ReverifyResultsRequest, creator: str = "") -> Reverify:
    """Return what ReverifyResults asks for, by the key of this id."""
    wrong = Violations()
    if request.new_batch_id and not is_own_id(request.new_batch_id):
        wrong.add("new_batch_id", "use a small letter, then up to 62 of a-z, 0-9 and '-'")
    rules.check_length(request.name, "name", limits.MAX_NAME_CHARACTERS, wrong)
    rules.check_request_id(request.request_id, wrong)
    quality = rules.number(request.quality, "quality", QualityLevel, wrong)
    asked = Reverify(
        source_id=request.batch_id,
        where=result_filter(request.filter, wrong),
        batch_id=request.new_batch_id,
        name=request.name,
        quality=QualityLevel(quality) if quality else None,
        launch=request.launch,
        request_id=request.request_id,
        creator=creator,
    )
    wrong.raise_if_any()
    return asked
