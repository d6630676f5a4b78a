"""How list files are written: TOML tables of rows with source, licence and date in their head.

A table holds names in one or more strings, parted by white space; `name.{a,b}` is short for
`name.a name.b`. What an operator adds may also be plain text: one row a line, `#` for remarks.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from mailvet.errors import ConfigError

_BRACES = re.compile(r"([^{}]*)\{([^{}]*)\}([^{}]*)")


@dataclass(frozen=True, slots=True)
class ListFile:
    """One file of rows and where they come from."""

    name: str
    source: str
    licence: str
    date: str
    """ISO 8601 day on which the rows were last looked through."""
    tables: Mapping[str, frozenset[str]]
    """Rows in lower case, by the name of their table."""


def read_bundled(name: str) -> ListFile:
    """Return the list file `name` that comes with the package, such as `free`."""
    return _from_document(name, read_document(name))


def read_document(name: str) -> dict[str, Any]:
    """Return a bundled file as it stands, for those that need more than sets of rows."""
    text = files("mailvet.lists").joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def read_extra(path: Path) -> ListFile:
    """Return a list file an operator added: `.toml` in our form, anything else plain rows.

    Raises ConfigError when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            return _from_document(path.stem, tomllib.loads(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"list file {path} cannot be read: {error!r}") from error
    day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    rows = frozenset(_plain_rows(text))
    return ListFile(path.stem, str(path.name), "", day, {"rows": rows})


def _from_document(name: str, document: Mapping[str, Any]) -> ListFile:
    tables = {
        key: frozenset(row for names in table.values() for row in expand(names))
        for key, table in document.items()
        if isinstance(table, dict)
    }
    return ListFile(name, document["source"], document["licence"], str(document["date"]), tables)


def _plain_rows(text: str) -> Iterator[str]:
    for line in text.splitlines():
        row = line.partition("#")[0].strip().lower()
        if row:
            yield row.removeprefix("@").removeprefix("*.").strip(".")


def expand(names: str) -> Iterator[str]:
    """Yield every name of a row string, with its braces written out."""
    for name in names.lower().split():
        match = _BRACES.fullmatch(name)
        if match is None:
            yield name
        else:
            before, choices, after = match.groups()
            yield from (f"{before}{choice}{after}" for choice in choices.split(","))
