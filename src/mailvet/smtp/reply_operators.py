"""Code words and help links with which single operators answer: `reply_operators.toml`."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from mailvet.model.reply import Reading
from mailvet.model.status import Meaning


class _Mark(NamedTuple):
    has: tuple[str, ...]
    pattern: re.Pattern[str]
    only_from: str
    """The operator who alone is believed; empty when the code is telling enough by itself."""
    reading: Reading


def operator_reading(text: str, operator: str) -> Reading | None:
    """Return what an operator's own code in a text means; None without one.

    Most codes are read wherever they stand; one so plain that others may use it too counts only
    when `operator` says that its owner is speaking.
    """
    for mark in _marks():
        if mark.only_from and mark.only_from != operator:
            continue
        for literal in mark.has:
            if literal in text and mark.pattern.search(text):
                return mark.reading
    return None


@lru_cache(maxsize=1)
def _marks() -> tuple[_Mark, ...]:
    text = files("mailvet.smtp").joinpath("data/reply_operators.toml").read_text("utf-8")
    return tuple(
        _Mark(
            tuple(row["has"]),
            re.compile(row["mark"]),
            row["operator"] if row.get("only_there") else "",
            Reading(Meaning(row["meaning"]), row["id"], row.get("about_sender", False)),
        )
        for row in tomllib.loads(text)["mark"]
    )
