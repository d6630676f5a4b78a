"""Requests as people write them in JSON: field names of the proto, enum values without prefix."""

import difflib
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mailvet.errors import ConfigError

_WELL_KNOWN = "google.protobuf."
"""Types with a JSON form of their own, such as Duration."""


def message_of(document: dict[str, Any], kind: Descriptor) -> Message:
    """Return a message of a kind; raises `ConfigError` naming what is no field or has no sense."""
    message: Message = GetMessageClass(kind)()
    try:
        ParseDict(_whole(document, kind), message)
    except ParseError as error:
        raise ConfigError(f"{kind.name}: {error}") from None
    return message


def _whole(document: dict[str, Any], kind: Descriptor) -> dict[str, Any]:
    """The same with whole enum names."""
    known = {field.name: field for field in kind.fields}
    by_either = known | {field.json_name: field for field in kind.fields}
    for name in document.keys() - by_either.keys():
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
        raise ConfigError(f"{kind.name} has no field {name!r}; {meant}")
    return {name: _value(value, by_either[name]) for name, value in document.items()}


def _value(value: Any, field: FieldDescriptor) -> Any:
    if isinstance(value, list):
        return [_value(item, field) for item in value]
    if field.enum_type is not None and isinstance(value, str):
        return _enum_name(value, field.enum_type)
    message = field.message_type
    if message is None or not isinstance(value, dict) or message.full_name.startswith(_WELL_KNOWN):
        return value
    if message.GetOptions().map_entry:
        return {key: _value(item, message.fields_by_name["value"]) for key, item in value.items()}
    return _whole(value, message)


def _enum_name(name: str, enum: EnumDescriptor) -> str:
    if name in enum.values_by_name:
        return name
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    whole = prefix + name.upper()
    if whole not in enum.values_by_name:
        known = [value.name.removeprefix(prefix) for value in enum.values if value.number]
        raise ConfigError(f"{name!r} is no {enum.name}; use one of {', '.join(known)}")
    return whole
