"""Who runs an exchanger: a table of host name suffixes, the longest one wins."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from disposable_email_domains import blocklist

from mailvet.lists.rows import expand, read_bundled, read_document
from mailvet.lists.suffixes import registered

_CATEGORIES = (
    "mailbox",
    "gateway",
    "forwarding",
    "relay",
    "hosting",
    "parked",
    "disposable",
)


class Operator(NamedTuple):
    """The operator of an exchanger."""

    name: str
    category: str
    """mailbox, gateway, forwarding, relay, hosting, parked or disposable."""
    suffix: str
    """The row of the table that told, for evidence."""


class _Table(NamedTuple):
    suffixes: Mapping[str, Operator | None]
    """None stands for names that are nobody's."""
    trademarks: Mapping[str, Operator]
    """Operators by the beginning of a registered name."""
    marks: tuple[str, ...]
    """Every such beginning, for one comparison with all of them."""


def operator_of(mx_hosts: Sequence[str]) -> Operator | None:
    """Return the operator of the first exchanger that is known; None when none is.

    `mx_hosts` are names in preference order, in any case, with or without the final dot.
    """
    table = _table()
    operators = (_lookup(table, mx_host.lower().rstrip(".")) for mx_host in mx_hosts)
    return next((operator for operator in operators if operator is not None), None)


def _lookup(table: _Table, host: str) -> Operator | None:
    suffix = host
    may_be_marked = False
    # Two labels at least: no operator owns a whole registry.
    while "." in suffix:
        if suffix in table.suffixes:
            return table.suffixes[suffix]
        may_be_marked = may_be_marked or suffix.startswith(table.marks)
        suffix = suffix.partition(".")[2]
    owned = registered(host) if may_be_marked else None
    if owned is None or not owned.startswith(table.marks):
        return None
    marks = (mark for mark in table.trademarks if owned.startswith(mark))
    return next((table.trademarks[mark] for mark in marks), None)


@cache
def _table() -> _Table:
    document = read_document("exchangers")
    suffixes: dict[str, Operator | None] = dict(_own_hosts())
    categories = {}
    for category in _CATEGORIES:
        for name, rows in document[category].items():
            categories[name] = category
            suffixes.update((row, Operator(name, category, row)) for row in expand(rows))
    for rows in document["placeholders"].values():
        suffixes.update((row, None) for row in expand(rows))
    trademarks = {
        mark: Operator(name, categories[name], mark)
        for name, marks in document["trademarks"].items()
        for mark in expand(marks)
    }
    return _Table(suffixes, trademarks, tuple(trademarks))


def _own_hosts() -> Iterator[tuple[str, Operator]]:
    """Services whose exchangers bear their own name: disposable ones, then free providers.

    Only the hand-checked list is taken: a wrong row here would reach every domain behind a host.
    """
    free = {row for rows in read_bundled("free").tables.values() for row in rows}
    for rows, category in ((blocklist, "disposable"), (free, "mailbox")):
        for row in rows:
            if registered(row) == row:
                yield row, Operator(row, category, row)
