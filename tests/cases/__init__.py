"""Tables of cases: a new case is a new row."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def rows(table: str) -> list[dict[str, Any]]:
    """Return the rows of `table`.toml."""
    return list(tomllib.loads((_HERE / f"{table}.toml").read_text("utf-8"))["case"])


def names(table: str) -> list[str]:
    """Return the rows' names, for test ids."""
    return [row["name"] for row in rows(table)]
