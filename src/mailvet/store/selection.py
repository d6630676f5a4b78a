"""Selections carried out on batches that are in memory."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key, partial
from typing import Any

from mailvet.model.batch import Batch
from mailvet.model.selection import Condition, Expression, Junction, Order, Selection, Value

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

NOTHING: dict[str, Value] = {"batch_id": "", "name": ""}
"""What counts in an order for a field without a value, where that is not 0."""


def value_of(batch: Batch, field: str) -> Value | None:
    """Return what a field of a batch is; None when it has no value."""
    room, _, name = field.partition(".")
    if room == "labels":
        return batch.spec.labels.get(name)
    if room == "targeting":
        found: Value = getattr(batch.spec.targeting, name)
        return found or None
    if hasattr(batch.spec, field):
        return getattr(batch.spec, field)  # type: ignore[no-any-return]
    return getattr(batch, field)  # type: ignore[no-any-return]


def holds(batch: Batch, where: Expression) -> bool:
    """Whether a batch is as an expression says."""
    if isinstance(where, Condition):
        return _meets(value_of(batch, where.field), where)
    if isinstance(where, Junction):
        return (all if where.every else any)(holds(batch, part) for part in where.parts)
    return not holds(batch, where.part)


def _meets(found: Value | None, asked: Condition) -> bool:
    if found is None:
        return False
    if asked.operator == ":":
        return str(asked.value) in str(found)
    if asked.operator != "=":
        return _COMPARE[asked.operator](found, asked.value)
    if isinstance(asked.value, str):
        pattern = ".*".join(map(re.escape, asked.value.split("*")))
        return re.fullmatch(pattern, str(found), re.DOTALL) is not None
    return found == asked.value


def place_of(batch: Batch, order: Iterable[Order]) -> tuple[Value, ...]:
    """Return where a batch stands in an order."""
    return tuple(value_of(batch, one.field) or NOTHING.get(one.field, 0) for one in order)


def select(batches: Iterable[Batch], asked: Selection) -> list[Batch]:
    """Return the batches that a selection selects, in its order."""
    found = [batch for batch in batches if asked.where is None or holds(batch, asked.where)]
    placed = [(place_of(batch, asked.order), batch) for batch in found]
    if asked.after:
        placed = [one for one in placed if _compare(one[0], asked.after, asked.order) > 0]
    by_place = cmp_to_key(partial(_compare, order=asked.order))
    placed.sort(key=lambda one: by_place(one[0]))
    return [batch for _, batch in placed[: asked.limit]]


def _compare(one: Sequence[Any], other: Sequence[Any], order: Sequence[Order]) -> int:
    for mine, yours, by in zip(one, other, order, strict=True):
        if mine != yours:
            return -1 if (mine < yours) is not by.descending else 1
    return 0
