"""Code words and help links with which single operators answer: `reply_operators.toml`."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from mailvet.model.reply import Reading
from mailvet.model.status import Meaning


class _Mark(NamedTuple):
    operator: str
    only_there: bool
    pattern: re.Pattern[str]
    reading: Reading


def operator_reading(text: str, operator: str) -> Reading | None:
    """Return what an operator's own code in a text means; None without one.

    Most codes are read wherever they stand; one so plain that others may use it too counts only
    when `operator` says that its owner is speaking.
    """
    if not _any_mark().search(text):
        return None
    for mark in _marks():
        if mark.only_there and mark.operator != operator:
            continue
        if mark.pattern.search(text):
            return mark.reading
    return None


@lru_cache(maxsize=1)
def _marks() -> tuple[_Mark, ...]:
    text = files("mailvet.smtp").joinpath("data/reply_operators.toml").read_text("utf-8")
    return tuple(
        _Mark(
            row["operator"],
            row.get("only_there", False),
            re.compile(row["mark"]),
            Reading(Meaning(row["meaning"]), row["id"], row.get("about_sender", False)),
        )
        for row in tomllib.loads(text)["mark"]
    )


@lru_cache(maxsize=1)
def _any_mark() -> re.Pattern[str]:
    """One search tells that none of the marks is there, which is the usual case."""
    return re.compile("|".join(f"(?:{mark.pattern.pattern})" for mark in _marks()))
