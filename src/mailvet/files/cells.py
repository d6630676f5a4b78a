"""Values as cells of a table, and what keeps a cell from being run as a formula (CWE-1236)."""

import json
import re
from collections.abc import Mapping
from typing import Any

_FORMULA_START = re.compile(r"^[\s\u00a0\ufeff\u200b]*[=+\-@|＝＋－＠\t\r]|^[\t\r]")
"""First characters that spreadsheets take for a formula, also behind blanks and in full width;
after a tab or CR too, which some drop first (OWASP, CSV Injection)."""
_LINE_START = re.compile(
    r"(?<=\n)(?=[^\S\n\r]*[=+\-@|＝＋－＠])|(?<=\r)(?=[^\S\n\r]*[=+\-@|＝＋－＠])"
)
"""A program that reads embedded newlines as rows sees a cell begin here."""
MARK = "'"
"""What spreadsheets themselves put before text that is to stay text."""


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet may run the text, or one of its lines, as a formula."""
    if _is_plain(text):
        return False
    return bool(_FORMULA_START.search(text) or _LINE_START.search(text))


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet runs it: with a mark before each suspicious line."""
    if _is_plain(text):
        return text
    marked = _LINE_START.sub(MARK, text)
    return MARK + marked if _FORMULA_START.search(text) else marked


def _is_plain(text: str) -> bool:
    """Whether a look at the beginning is enough, as it is for nearly every cell."""
    return not text or (text[0].isalnum() and "\n" not in text and "\r" not in text)


def cell(value: Any) -> str | int | float | bool:
    """Return a value as one cell: nothing is empty, lists are joined by spaces."""
    if value is None:
        return ""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        if set(value) == {"name", "points"}:
            return f"{value['name']}={value['points']}"
        return json.dumps(value, ensure_ascii=False)
    return " ".join(str(cell(item)) for item in value)


def reach(record: Mapping[str, Any], path: str) -> Any:
    """Return the value under a name, or under `NAME.INNER`; None where the record has none."""
    if path in record:
        return record[path]
    name, _, inner = path.partition(".")
    value = record.get(name)
    return value.get(inner) if isinstance(value, dict) else None
