"""Lists of batches in pages, forwards and backwards, whatever the order.

A page token says the place of a batch by its values, so a list goes on where it was though that
batch was deleted since.
"""

import base64
import json
from typing import NamedTuple

from mailvet.batches.cursor import Kind, Marks, Place, binding_of
from mailvet.errors import BadPageToken
from mailvet.model.batch import Batch
from mailvet.model.selection import Expression, Order, Selection, Value
from mailvet.model.status import BatchState
from mailvet.store.base import Store
from mailvet.store.selection import place_of

_FORWARDS, _BACKWARDS = 1, 2


class BatchPage(NamedTuple):
    """Which batches a caller asks to list."""

    states: frozenset[BatchState]
    """Empty for all."""
    page_size: int
    page_token: str
    where: Expression | None = None
    order: tuple[Order, ...] = ()
    """The newest first when empty."""


class Listed(NamedTuple):
    """One page, and the tokens of its neighbours; empty where there is none."""

    batches: list[Batch]
    next_page_token: str
    previous_page_token: str


async def listed(store: Store, marks: Marks, tenant: str, asked: BatchPage) -> Listed:
    """Return one page of a tenant's batches; raise `BadPageToken`."""
    order = (*asked.order, Order("key", descending=True))
    binding = f"{tenant}\x1f{sorted(asked.states)}\x1f{asked.where!r}\x1f{order!r}"
    after: tuple[Value, ...] = ()
    backwards = False
    if asked.page_token:
        backwards, after = _read(marks, asked.page_token, binding)
    selection = Selection(
        asked.where, _reversed(order) if backwards else order, after, asked.page_size + 1
    )
    found = await store.select_batches(tenant, selection, states=asked.states)
    page, more = found[: asked.page_size], len(found) > asked.page_size
    if backwards:
        page.reverse()
    if not page:
        return Listed([], "", "")
    ends = [
        _write(marks, way, place_of(batch, order), binding)
        for way, batch in ((_FORWARDS, page[-1]), (_BACKWARDS, page[0]))
    ]
    has_next = backwards or more
    has_previous = more if backwards else bool(after)
    return Listed(page, ends[0] if has_next else "", ends[1] if has_previous else "")


def _reversed(order: tuple[Order, ...]) -> tuple[Order, ...]:
    return tuple(Order(one.field, not one.descending) for one in order)


def _write(marks: Marks, way: int, place: tuple[Value, ...], binding: str) -> str:
    values = base64.urlsafe_b64encode(json.dumps(place).encode()).decode("ascii")
    mark = marks.write(Place(Kind.BATCH_PAGE, 0, way, binding_of(binding, values)))
    return f"{mark}.{values}"


def _read(marks: Marks, token: str, binding: str) -> tuple[bool, tuple[Value, ...]]:
    mark, _, values = token.partition(".")
    way = marks.read(mark, Kind.BATCH_PAGE, 0, binding_of(binding, values))
    try:
        place = tuple(json.loads(base64.urlsafe_b64decode(values)))
    except ValueError:
        raise BadPageToken("it is damaged; start again without it") from None
    return way == _BACKWARDS, place
