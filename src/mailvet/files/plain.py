"""A result as a plain dict, the shape that everything in this room writes.

The names are those of `model.result.Result`, which are the wire's; enum values are their names;
what is unspecified is None; times are RFC 3339. A test holds it to what the wire's JSON shows.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from mailvet.model.result import Result
from mailvet.model.status import EntryStatus

Found = Mapping[str, Any]
"""One result."""
Record = dict[str, Any]
"""One result in the words of a dialect."""

FIELDS = tuple(each.name for each in fields(Result) if each.name != "evidence")
_SYNTAX = range(EntryStatus.AT_SIGN_NOT_FOUND, EntryStatus.DUPLICATE)


def plain_result(result: Result) -> Record:
    """Return a result as a dict, without its evidence."""
    found = {name: _plain(getattr(result, name)) for name in FIELDS}
    found["complete_time"] = time_text(result.complete_time)
    return found


def is_syntax_failure(found: Found) -> bool:
    """Whether the input is no address at all."""
    return EntryStatus.__members__.get(found["status"] or "", 0) in _SYNTAX


def yes_no(fact: str | None) -> bool | None:
    """A probed fact as true, false, or None for whatever is not known."""
    return {"YES": True, "NO": False}.get(fact or "")


def _plain(value: Any) -> Any:
    if isinstance(value, IntEnum):
        return value.name if value else None
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return value


def time_text(seconds: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339; None for no time."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
