"""Who runs an exchanger: a table of host name suffixes, the longest one wins."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from publicsuffixlist import PublicSuffixList

from mailvet.lists.rows import expand, read_bundled

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


def operator_of(mx_hosts: Sequence[str]) -> Operator | None:
    """Return the operator of the first exchanger that is known; None when none is.

    `mx_hosts` are names in preference order, in any case, with or without the final dot.
    """
    table = _table()
    for mx_host in mx_hosts:
        suffix = mx_host.lower().rstrip(".")
        # Two labels at least: no operator owns a whole registry.
        while "." in suffix:
            operator = table.get(suffix)
            if operator is not None:
                return operator
            suffix = suffix.partition(".")[2]
    return None


@cache
def _table() -> Mapping[str, Operator]:
    """Suffix to operator: our table, then free providers that run exchangers of their own."""
    suffixes = PublicSuffixList()
    table = {
        row: Operator(row, "mailbox", row)
        for rows in read_bundled("free").tables.values()
        for row in rows
        if suffixes.privatesuffix(row) == row
    }
    text = files("mailvet.lists").joinpath("data", "exchangers.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    for category in _CATEGORIES:
        for name, rows in document[category].items():
            table.update((row, Operator(name, category, row)) for row in expand(rows))
    return table
