"""Stored results as the plain dicts that `mailvet.files` writes."""

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.descriptor import EnumDescriptor

from mailvet.files.plain import FIELDS, Record, time_text
from mailvet.v1 import result_pb2 as result_pb

_DESCRIPTORS = result_pb.Result.DESCRIPTOR.fields_by_name


def plain_result(message: bytes) -> Record:
    """Return an encoded result as `files.plain.plain_result` returns it; evidence is left out.

    An enum value that this version does not know is its number.
    """
    record = _EMPTY.copy()
    for field, value in result_pb.Result.FromString(message).ListFields():
        if field.name in record:
            convert = _CONVERSIONS.get(field.name)
            record[field.name] = convert(value) if convert else value
    return record


def _empty(name: str) -> Any:
    field = _DESCRIPTORS[name]
    if field.is_repeated:
        return []
    return None if field.has_presence or field.enum_type is not None else field.default_value


def _names(enum: EnumDescriptor) -> Callable[[int], str | None]:
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    known = {
        number: value.name.removeprefix(prefix) for number, value in enum.values_by_number.items()
    }
    return lambda number: known.get(number, str(number))


def _risk_points(points: Sequence[result_pb.RiskPoint]) -> list[Record]:
    return [{"name": point.name, "points": point.points} for point in points]


_EMPTY: Record = {name: _empty(name) for name in FIELDS}
_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    **{name: _names(enum) for name in FIELDS if (enum := _DESCRIPTORS[name].enum_type) is not None},
    **{name: list for name in FIELDS if _DESCRIPTORS[name].is_repeated},
    "risk_points": _risk_points,
    "complete_time": lambda time: time_text(time.seconds + time.nanos / 1e9),
}
