"""Reads the tables of cases."""

import tomllib
from pathlib import Path
from typing import Any

_CASES = Path(__file__).parent.parent / "cases"


def table(name: str) -> dict[str, Any]:
    """Return the table `tests/cases/NAME.toml`."""
    return tomllib.loads((_CASES / f"{name}.toml").read_text("utf-8"))
