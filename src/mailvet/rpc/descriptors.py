"""What the committed descriptor set says of our services, with the comments in it."""

from functools import cache
from importlib.resources import files

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

PACKAGE = "mailvet.v1"

_ENUM_TYPE = 5
"""Field number of enum_type in FileDescriptorProto: the path of a comment starts with it."""
_ENUM_VALUE = 2
"""Field number of value in EnumDescriptorProto."""


@cache
def descriptor_set() -> FileDescriptorSet:
    """Return every file of mailvet.v1 and what they import, with source info."""
    raw = files("mailvet.v1").joinpath("mailvet.binpb").read_bytes()
    return FileDescriptorSet.FromString(raw)


@cache
def pool() -> DescriptorPool:
    """Return every service and message of mailvet.v1, also those nobody has imported."""
    found = DescriptorPool()
    for file in descriptor_set().file:  # protoc writes what is imported first
        found.AddSerializedFile(file.SerializeToString())
    return found


def enum_comments(file_name: str, enum_name: str) -> dict[int, str]:
    """Return the comment of each value of an enum, by number, on one line."""
    file = next(file for file in descriptor_set().file if file.name == file_name)
    enum_index = next(i for i, enum in enumerate(file.enum_type) if enum.name == enum_name)
    found = comments(file_name)
    return {
        value.number: found.get((_ENUM_TYPE, enum_index, _ENUM_VALUE, place), "").replace("\n", " ")
        for place, value in enumerate(file.enum_type[enum_index].value)
    }


@cache
def comments(file_name: str) -> dict[tuple[int, ...], str]:
    """Return the comment above each element of a file by its path, a line for each paragraph.

    A path is field numbers of descriptor.proto and places, in turn.
    """
    file = next(file for file in descriptor_set().file if file.name == file_name)
    return {
        tuple(location.path): _paragraphs(location.leading_comments)
        for location in file.source_code_info.location
        if location.leading_comments
    }


def _paragraphs(comment: str) -> str:
    return "\n".join(" ".join(part.split()) for part in comment.strip().split("\n\n"))
