"""The RPCs of mailvet.v1 by the names people give them, and what the proto says of them."""

import difflib
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from mailvet.errors import ConfigError
from mailvet.rpc.descriptors import PACKAGE, comments, descriptor_set, pool

_SERVICE, _METHOD = 6, 2
"""Field numbers of service in FileDescriptorProto and of method in ServiceDescriptorProto."""
_MESSAGE, _FIELD = 4, 2
"""Field numbers of message_type in FileDescriptorProto and of field in DescriptorProto."""
_SHOWN_NAMES = 6
"""More of the nearest names would hide the right one."""


class Field(NamedTuple):
    """A field of a message, as it is written in JSON."""

    name: str
    kind: str
    comment: str


def find(name: str) -> MethodDescriptor:
    """Return the RPC that is meant: `GetBatch`, `BatchService/GetBatch`, or with the package.

    Letter case, and `.` for `/`, do not matter. Raises `ConfigError` with the nearest names.
    """
    wanted = _folded(name)
    for method in methods():
        if wanted in (_folded(method.name), _folded(short(method)), _folded(method.full_name)):
            return method
    raise ConfigError(f"{name!r} is no method{_meant(name)}; `mailvet call` lists them all")


@cache
def methods() -> tuple[MethodDescriptor, ...]:
    """Return every RPC, in the order of the proto."""
    return tuple(
        pool().FindMethodByName(f"{PACKAGE}.{service.name}.{method.name}")
        for file in descriptor_set().file
        if file.package == PACKAGE
        for service in file.service
        for method in service.method
    )


def short(method: MethodDescriptor) -> str:
    """Return `BatchService/GetBatch`."""
    return f"{method.containing_service.name}/{method.name}"


def path(method: MethodDescriptor) -> str:
    """Return `/mailvet.v1.BatchService/GetBatch`, as the wire has it."""
    return f"/{method.containing_service.full_name}/{method.name}"


def comment(method: MethodDescriptor) -> str:
    """Return what the proto says of an RPC, its paragraphs on one line each."""
    place = (_SERVICE, method.containing_service.index, _METHOD, method.index)
    return comments(method.containing_service.file.name).get(place, "")


def fields(message: Descriptor) -> Iterator[Field]:
    """Yield the fields of a message of mailvet.v1 with what the proto says of them."""
    told = comments(message.file.name)
    number = list(message.file.message_types_by_name).index(message.name)
    for field in message.fields:
        place = (_MESSAGE, number, _FIELD, field.index)
        yield Field(field.name, _kind(field), told.get(place, "").replace("\n", " "))


_KINDS = {
    FieldDescriptor.CPPTYPE_STRING: "string",
    FieldDescriptor.CPPTYPE_BOOL: "true|false",
    FieldDescriptor.CPPTYPE_ENUM: "enum",
    FieldDescriptor.CPPTYPE_MESSAGE: "object",
}


def _kind(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "{key: value}"
    kind = _KINDS.get(field.cpp_type, "number")
    if field.type == field.TYPE_BYTES:
        kind = "base64"
    elif field.message_type is not None:
        kind = {"Duration": '"10s"', "Timestamp": "RFC 3339"}.get(field.message_type.name, kind)
    elif field.enum_type is not None:
        kind = field.enum_type.name
    return f"[{kind}]" if field.is_repeated else kind


def _folded(name: str) -> str:
    return name.strip("/").replace("/", ".").replace("_", "").replace("-", "").lower()


def _meant(name: str) -> str:
    """The nearest names, when there are any."""
    wanted = _folded(name).rpartition(".")[2]
    by_fold = {_folded(method.name): short(method) for method in methods()}
    near = difflib.get_close_matches(wanted, by_fold, n=_SHOWN_NAMES, cutoff=0.6)
    inside = [fold for fold in by_fold if wanted and wanted in fold and fold not in near]
    found = [by_fold[fold] for fold in (*near, *inside)[:_SHOWN_NAMES]]
    return f"; did you mean {' or '.join(found)}?" if found else ""
