"""Documents out: JSON, JSON Lines and XML, record by record; texts exactly as they are."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from mailvet.files.plain import Record

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""JSON lets them stand, many readers of lines end a line at them."""
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, 2.2: other characters cannot even be escaped."""
_XML_MORE = {"\r": "&#13;", '"': "&quot;"}


def json_lines(records: Iterator[Record]) -> Iterator[str]:
    """Yield one line a record."""
    for record in records:
        yield _ENCODE(record).translate(_LINE_ENDS) + "\n"


def json_document(
    records: Iterator[Record],
    items: str,
    before: Mapping[str, Any],
    behind: Callable[[], Mapping[str, Any]],
) -> Iterator[str]:
    """Yield an array of records; with `items`, an object in which it stands under that name.

    `behind` is asked when all records went through.
    """
    yield "{" + _members(before, end=", ") + f"{_ENCODE(items)}: [" if items else "["
    separator = "\n"
    for record in records:
        yield separator + _ENCODE(record)
        separator = ",\n"
    yield "\n]" + (_members(behind(), start=", ") + "}" if items else "") + "\n"


def xml_document(records: Iterator[Record], root: str, item: str) -> Iterator[str]:
    """Yield an element a record, an element a field; nothing for what is None."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n'
    for record in records:
        yield f"<{item}>{_inside(record)}</{item}>\n"
    yield f"</{root}>\n"


def _members(fields: Mapping[str, Any], *, start: str = "", end: str = "") -> str:
    inside = ", ".join(f"{_ENCODE(name)}: {_ENCODE(value)}" for name, value in fields.items())
    return start + inside + end if inside else ""


def _inside(value: Any) -> str:
    if isinstance(value, Mapping):
        return "".join(_element(name, each) for name, each in value.items() if each is not None)
    if isinstance(value, list):
        return "".join(_element("item", each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(_NOT_IN_XML.sub("\ufffd", str(value)), _XML_MORE)


def _element(name: str, value: Any) -> str:
    return f"<{name}>{_inside(value)}</{name}>"
