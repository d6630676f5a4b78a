"""Selections carried out in SQL: an expression becomes a condition, a place a keyset."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mailvet.model.batch import Batch
from mailvet.model.selection import Condition, Expression, Junction, Order, Selection
from mailvet.model.status import BatchState
from mailvet.model.targeting import Targeting
from mailvet.store.sqlite_batches import COLUMNS, batch_from
from mailvet.store.sqlite_file import Connection

_NUMBERS = ("launch_time", "end_time")
"""Columns that may be empty; the earliest time counts for them in an order."""


class _Sql(NamedTuple):
    text: str
    values: tuple[Any, ...] = ()


def select(
    connection: Connection, tenant: str, asked: Selection, states: frozenset[BatchState]
) -> list[Batch]:
    """Return the batches of a tenant that a selection selects, in its order."""
    clauses = [_Sql("tenant = ?", (tenant,))]
    if states:
        clauses.append(_Sql(f"state IN ({', '.join('?' * len(states))})", tuple(states)))
    if asked.where is not None:
        clauses.append(_condition(asked.where))
    if asked.after:
        clauses.append(_behind(asked.order, asked.after))
    order = ", ".join(_sorted(one) + (" DESC" if one.descending else "") for one in asked.order)
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM batch WHERE {' AND '.join(one.text for one in clauses)}"  # noqa: S608
        f" ORDER BY {order} LIMIT ?",
        (*(value for one in clauses for value in one.values), asked.limit),
    )
    return [batch_from(row) for row in rows]


def _sorted(one: Order) -> str:
    return f"coalesce({one.field}, 0)" if one.field in _NUMBERS else one.field


def _behind(order: Sequence[Order], after: Sequence[Any]) -> _Sql:
    """The places behind one: a later first field, or the same and a later second one, ..."""
    texts: list[str] = []
    values: list[Any] = []
    for depth, last in enumerate(order):
        same = [f"{_sorted(one)} = ?" for one in order[:depth]]
        texts.append(" AND ".join([*same, f"{_sorted(last)} {'<' if last.descending else '>'} ?"]))
        values += after[: depth + 1]
    return _Sql(f"({' OR '.join(f'({text})' for text in texts)})", tuple(values))


def _condition(where: Expression) -> _Sql:
    if isinstance(where, Condition):
        field, comparison = _field(where.field), _comparison(where)
        # What is not there is not as asked, also under a NOT.
        text = f"coalesce({comparison.text.format(field=field.text)}, 0)"
        return _Sql(text, (*field.values, *comparison.values))
    if isinstance(where, Junction):
        parts = [_condition(part) for part in where.parts]
        joined = (" AND " if where.every else " OR ").join(part.text for part in parts)
        return _Sql(f"({joined})", tuple(value for part in parts for value in part.values))
    part = _condition(where.part)
    return _Sql(f"NOT {part.text}", part.values)


def _field(name: str) -> _Sql:
    room, _, rest = name.partition(".")
    if room == "labels":
        return _Sql("(SELECT value FROM json_each(labels) AS label WHERE label.key = ?)", (rest,))
    if room == "targeting":
        place = Targeting._fields.index(rest)
        # Nothing said is no value.
        return _Sql(f"nullif(nullif(json_extract(targeting, '$[{place}]'), 0), '')")
    return _Sql(name)


def _comparison(asked: Condition) -> _Sql:
    """A condition on `{field}`, which is filled in."""
    if asked.operator == ":":
        return _Sql("instr({field}, ?) > 0", (asked.value,))
    if asked.operator == "=" and isinstance(asked.value, str) and "*" in asked.value:
        pattern = asked.value.replace("[", "[[]").replace("?", "[?]")
        return _Sql("{field} GLOB ?", (pattern,))
    return _Sql(f"{{field}} {asked.operator} ?", (asked.value,))
