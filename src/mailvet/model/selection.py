"""Which batches to list, and in what order: an expression that any store can carry out."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Value: TypeAlias = str | int | float
"""A text, a number, an enum's number, or seconds since the epoch."""


class Condition(NamedTuple):
    """One field held against a value; one that has no value meets no condition."""

    field: str
    """As callers name it, such as `state` or `labels.team`."""
    operator: str
    """`=` (with `*` in a text for any characters), `!=`, `<`, `<=`, `>`, `>=`, or `:` for a part of
    a text."""
    value: Value


@dataclass(frozen=True, slots=True)
class Junction:
    """Several expressions of which all hold, or any."""

    parts: "tuple[Expression, ...]"
    every: bool


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of an expression."""

    part: "Expression"


Expression: TypeAlias = Condition | Junction | Negation


class Order(NamedTuple):
    """A field to sort by; a time that is not there is the earliest."""

    field: str
    descending: bool = False


class Selection(NamedTuple):
    """Some batches of a tenant."""

    where: Expression | None
    order: tuple[Order, ...]
    """Ends with `key`, so that no two batches are at the same place."""
    after: tuple[Value, ...]
    """The values of `order` of the batch to go on after; empty for the start."""
    limit: int
