"""Reflection with our comments: what grpcurl and grpcui ask for, from the committed descriptors.

Python's own servicer serves v1alpha only, from generated code, which has no comments.
"""

from collections.abc import Iterable, Iterator

import grpc
from google.protobuf import any_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

from mailvet.rpc.call import Call, Method
from mailvet.rpc.descriptors import descriptor_set
from mailvet.rpc.dispatch import methods_of

VERSIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
"""Served alike: the messages of the two versions have the same fields."""


def reflection_methods(services: Iterable[str]) -> list[Method]:
    """Return the methods of both versions, which tell of `services` and of each other."""
    servicer = Reflection([*services, *VERSIONS])
    service = pb.DESCRIPTOR.services_by_name["ServerReflection"]
    return [method for name in VERSIONS for method in methods_of(service, servicer, name)]


class Reflection:
    """Answers what files, symbols and services there are."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = sorted(services)
        self._files = _all_files()
        self._symbols = {
            symbol: file.name for file in self._files.values() for symbol in _symbols_of(file)
        }
        self._extensions = {
            (extension.extendee.removeprefix("."), extension.number): file.name
            for file in self._files.values()
            for extension in file.extension
        }

    async def server_reflection_info(
        self, _request: None, call: Call[pb.ServerReflectionRequest]
    ) -> None:
        """Answer each question of the stream."""
        async for request in call.requests():
            await call.write(self._answer(request))

    def _answer(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        reply = pb.ServerReflectionResponse(valid_host=request.host, original_request=request)
        try:
            self._fill(reply, request)
        except KeyError:
            _refuse(reply, grpc.StatusCode.NOT_FOUND, "there is no such thing here")
        return reply

    def _fill(
        self, reply: pb.ServerReflectionResponse, request: pb.ServerReflectionRequest
    ) -> None:
        kind = request.WhichOneof("message_request")
        if kind == "list_services":
            for name in self._services:
                reply.list_services_response.service.add(name=name)
        elif kind == "file_by_filename":
            self._add_file(reply, request.file_by_filename)
        elif kind == "file_containing_symbol":
            self._add_file(reply, self._symbols[request.file_containing_symbol])
        elif kind == "all_extension_numbers_of_type":
            name = request.all_extension_numbers_of_type
            if name not in self._symbols:
                raise KeyError(name)
            reply.all_extension_numbers_response.base_type_name = name
            numbers = (number for extended, number in self._extensions if extended == name)
            reply.all_extension_numbers_response.extension_number.extend(numbers)
        elif kind == "file_containing_extension":
            asked = request.file_containing_extension
            self._add_file(reply, self._extensions[asked.containing_type, asked.extension_number])
        else:
            raise KeyError(kind)

    def _add_file(self, reply: pb.ServerReflectionResponse, name: str) -> None:
        """Add a file and everything it imports."""
        names, waiting = set[str](), [name]
        while waiting:
            file = self._files[waiting.pop()]
            if file.name not in names:
                names.add(file.name)
                raw = file.SerializeToString()
                reply.file_descriptor_response.file_descriptor_proto.append(raw)
                waiting += file.dependency


def protoset() -> FileDescriptorSet:
    """Return all that reflection tells, for tools that read it from a file."""
    found = FileDescriptorSet()
    waiting = _all_files()
    while waiting:  # what is imported comes first: readers of such files rely on it
        ready = [
            name for name, file in waiting.items() if waiting.keys().isdisjoint(file.dependency)
        ]
        found.file.extend(waiting.pop(name) for name in ready)
    return found


def _refuse(reply: pb.ServerReflectionResponse, code: grpc.StatusCode, message: str) -> None:
    reply.error_response.error_code = code.value[0]
    reply.error_response.error_message = message


def _all_files() -> dict[str, FileDescriptorProto]:
    """Every file by name: ours with comments, and what tools look for beside."""
    files = {file.name: file for file in descriptor_set().file}
    # With the error details here, grpcurl prints them as JSON.
    for module in (any_pb2, error_details_pb2, status_pb2, health_pb2, pb):
        _add_generated(files, module.DESCRIPTOR)
    first = _first_version(files[pb.DESCRIPTOR.name])
    return files | {first.name: first}


def _add_generated(files: dict[str, FileDescriptorProto], descriptor: FileDescriptor) -> None:
    if descriptor.name not in files:
        proto = files[descriptor.name] = FileDescriptorProto()
        descriptor.CopyToProto(proto)
        for dependency in descriptor.dependencies:
            _add_generated(files, dependency)


def _first_version(alpha: FileDescriptorProto) -> FileDescriptorProto:
    """Describe grpc.reflection.v1, of which Python has no generated code, as its twin is."""
    first = FileDescriptorProto()
    first.CopyFrom(alpha)
    first.name, first.package = (
        name.replace("v1alpha", "v1") for name in (alpha.name, alpha.package)
    )
    for message in first.message_type:
        for field in message.field:
            if field.type_name:  # set on message fields only; empty is not unset here
                field.type_name = field.type_name.replace("v1alpha", "v1")
    for method in first.service[0].method:
        method.input_type = method.input_type.replace("v1alpha", "v1")
        method.output_type = method.output_type.replace("v1alpha", "v1")
    return first


def _symbols_of(file: FileDescriptorProto) -> Iterator[str]:
    """Every full name in a file; the pools of protobuf leave out methods, fields and values."""
    for service in file.service:
        yield f"{file.package}.{service.name}"
        yield from (f"{file.package}.{service.name}.{method.name}" for method in service.method)
    yield from _enum_symbols(file.package, file.enum_type)
    yield from (f"{file.package}.{extension.name}" for extension in file.extension)
    for message in file.message_type:
        yield from _message_symbols(file.package, message)


def _message_symbols(scope: str, message: DescriptorProto) -> Iterator[str]:
    name = f"{scope}.{message.name}"
    yield name
    yield from (f"{name}.{field.name}" for field in message.field)
    yield from _enum_symbols(name, message.enum_type)
    for nested in message.nested_type:
        yield from _message_symbols(name, nested)


def _enum_symbols(scope: str, enums: Iterable[EnumDescriptorProto]) -> Iterator[str]:
    for enum in enums:
        yield f"{scope}.{enum.name}"
        # Values stand beside their enum, not in it.
        yield from (f"{scope}.{value.name}" for value in enum.value)
