"""ListBatches: its filter and order, with the words of our enums."""

from collections.abc import Mapping
from typing import Any

from mailvet.batches.filter_text import FilterError, parse_filter, parse_order
from mailvet.batches.listing import BatchPage
from mailvet.errors import Violations
from mailvet.model.selection import Expression, Order
from mailvet.model.status import BatchState
from mailvet.rpc import rules
from mailvet.rpc.decode_targeting import ENUMS
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import status_pb2


def _words(enum: Any) -> Mapping[str, int]:
    """The names of an enum, with and without their prefix."""
    prefix = enum.Name(0).removesuffix("UNSPECIFIED")
    found = {name: number for name, number in enum.items() if number}
    return found | {name.removeprefix(prefix): number for name, number in found.items()}


_WORDS = {
    "state": _words(batch_pb.BatchState),
    "quality": _words(status_pb2.QualityLevel),
    **{f"targeting.{name}": _words(enum) for name, enum in ENUMS.items()},
}


def batch_page(request: pb.ListBatchesRequest) -> BatchPage:
    """Return what ListBatches asks for."""
    wrong = Violations()
    page_size = rules.page_size(request.page_size, wrong)
    states = rules.numbers(request.states, "states", BatchState, wrong)
    where: Expression | None = None
    order: tuple[Order, ...] = ()
    try:
        where = parse_filter(request.filter, _WORDS)
    except FilterError as error:
        wrong.add("filter", str(error))
    try:
        order = parse_order(request.order_by)
    except FilterError as error:
        wrong.add("order_by", str(error))
    wrong.raise_if_any()
    return BatchPage(
        frozenset(map(BatchState, states)), page_size, request.page_token, where, order
    )
