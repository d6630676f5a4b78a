"""Counts of results to protobuf, and the names in a stored result that are counted."""

from collections import Counter

from mailvet.batches.summary import Summary
from mailvet.model.batch import ResultRow
from mailvet.rpc.frames import body
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import result_pb2 as result_pb
from mailvet.v1 import result_service_pb2 as pb

_FULL = result_pb.RESULT_VIEW_FULL


def names_of(row: ResultRow) -> tuple[str, str]:
    """Return the domain and the mail operator of a stored result."""
    result = result_pb.Result.FromString(body(row, _FULL))
    return result.ascii_domain, result.mail_provider


def encode_summary(found: Summary, max_names: int) -> pb.SummarizeResultsResponse:
    """Return the response, with the `max_names` largest domains and operators."""
    return pb.SummarizeResultsResponse(
        result_count=found.result_count,
        classifications=[
            batch_pb.ClassificationCount(classification=number, count=count)  # type: ignore[arg-type]
            for number, count in found.classifications.most_common()
            if number
        ],
        statuses=[
            batch_pb.StatusCount(status=number, count=count)  # type: ignore[arg-type]
            for number, count in found.statuses.most_common()
        ],
        domains=_names(found.domains, max_names),
        operators=_names(found.operators, max_names),
        domain_count=len(found.domains),
        operator_count=len(found.operators),
    )


def _names(counts: Counter[str], most: int) -> list[pb.NameCount]:
    return [pb.NameCount(name=name, count=count) for name, count in counts.most_common(most)]
