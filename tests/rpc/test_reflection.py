"""Reflection, as grpcurl and grpcui use it."""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2 as pb

from mailvet.rpc.reflection import VERSIONS
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told


async def ask(world: World, version: str, **question: Any) -> pb.ServerReflectionResponse:
    """One question, by one version of the protocol."""
    caller = world.channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        request_serializer=pb.ServerReflectionRequest.SerializeToString,
        response_deserializer=pb.ServerReflectionResponse.FromString,
    )
    (reply,) = [
        reply async for reply in caller(iter([pb.ServerReflectionRequest(**question)]), timeout=10)
    ]
    return reply


async def files_of(world: World, version: str, symbol: str) -> dict[str, FileDescriptorProto]:
    """The files that describe a symbol, by name."""
    reply = await ask(world, version, file_containing_symbol=symbol)
    raws = reply.file_descriptor_response.file_descriptor_proto
    files = [FileDescriptorProto.FromString(raw) for raw in raws]
    return {file.name: file for file in files}


@pytest.mark.parametrize("version", VERSIONS)
async def test_services_are_listed(world: World, version: str) -> None:
    """Our services, health and reflection itself are there."""
    reply = await ask(world, version, list_services="")

    assert {
        "grpc.health.v1.Health",
        "mailvet.v1.AccountService",
        "mailvet.v1.AuthService",
        "mailvet.v1.BatchService",
        "mailvet.v1.CatalogService",
        "mailvet.v1.ResultService",
        "mailvet.v1.VerificationService",
        *VERSIONS,
    } == {service.name for service in reply.list_services_response.service}


@pytest.mark.parametrize("version", VERSIONS)
async def test_descriptions_have_our_comments(world: World, version: str) -> None:
    """`grpcurl describe` prints what the proto says."""
    files = await files_of(world, version, "mailvet.v1.BatchService.LaunchBatch")
    locations = files["mailvet/v1/batch_service.proto"].source_code_info.location
    comments = " ".join(location.leading_comments for location in locations)

    assert "Starts the work on a DRAFT batch." in comments


@pytest.mark.parametrize(
    "service", ["mailvet.v1.ResultService", "grpc.health.v1.Health", *VERSIONS]
)
async def test_a_description_is_complete(world: World, service: str) -> None:
    """Every service that is listed can be described with all that its file imports."""
    files = await files_of(world, VERSIONS[0], service)
    pool = DescriptorPool()
    waiting = dict(files)
    while waiting:
        ready = [name for name, file in waiting.items() if not set(file.dependency) & set(waiting)]
        for name in ready:
            pool.AddSerializedFile(waiting.pop(name).SerializeToString())

    assert all(method.input_type for method in pool.FindServiceByName(service).methods)


async def test_everything_is_commented(world: World) -> None:
    """Each message, field, value, service and method that reflection shows has a comment."""
    listed = (await ask(world, VERSIONS[0], list_services="")).list_services_response.service
    ours = [service.name for service in listed if service.name.startswith("mailvet.")]
    assert ours
    for symbol in ours:
        for file in (await files_of(world, VERSIONS[0], symbol)).values():
            if not file.package.startswith("mailvet"):
                continue
            bare = [
                tuple(location.path)
                for location in file.source_code_info.location
                if len(location.path) in (2, 4)
                and location.path[0] in (4, 5, 6)
                and (len(location.path) == 2 or location.path[2] == 2)
                and not location.leading_comments
                and not is_map_entry(file, tuple(location.path))
            ]
            assert [] == bare, file.name


def is_map_entry(file: FileDescriptorProto, path: tuple[int, ...]) -> bool:
    """Whether a path leads into a message, a place where maps have hidden messages."""
    return path[0] == 4 and len(path) > 2 and path[2] == 3 and bool(file.message_type)


@pytest.mark.parametrize(
    "symbol",
    [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "google.rpc.RetryInfo",
        "grpc.health.v1.Health",
    ],
)
async def test_symbols_are_found(world: World, symbol: str) -> None:
    """Values and fields can be described too, and grpcurl can print the details of errors."""
    assert await files_of(world, VERSIONS[1], symbol)


async def test_files_are_found_by_name(world: World) -> None:
    """A file comes with what it imports."""
    reply = await ask(world, VERSIONS[0], file_by_filename="mailvet/v1/status.proto")

    assert 1 == len(reply.file_descriptor_response.file_descriptor_proto)


@pytest.mark.parametrize(
    "question",
    [
        {"file_containing_symbol": "mailvet.v1.Nothing"},
        {"file_by_filename": "nothing.proto"},
        {"all_extension_numbers_of_type": "mailvet.v1.Nothing"},
        {},
    ],
)
async def test_what_is_not_there_is_said(world: World, question: dict[str, str]) -> None:
    """An unknown thing is an answer of the protocol, not the end of the stream."""
    reply = await ask(world, VERSIONS[0], **question)

    assert grpc.StatusCode.NOT_FOUND.value[0] == reply.error_response.error_code


async def test_our_options_are_extensions(world: World) -> None:
    """Tools find out by number what an option is called and where it stands."""
    options = "google.protobuf.MethodOptions"
    reply = await ask(world, VERSIONS[0], all_extension_numbers_of_type=options)
    numbers = reply.all_extension_numbers_response.extension_number
    assert [50501, 50502] == sorted(numbers)
    for number in numbers:
        asked = {"containing_type": options, "extension_number": number}
        reply = await ask(world, VERSIONS[0], file_containing_extension=asked)
        (first, *_) = reply.file_descriptor_response.file_descriptor_proto
        assert "mailvet/v1/options.proto" == FileDescriptorProto.FromString(first).name


async def test_most_types_have_no_extensions(world: World) -> None:
    """Which is an answer too."""
    reply = await ask(world, VERSIONS[0], all_extension_numbers_of_type="mailvet.v1.Batch")

    assert "mailvet.v1.Batch" == reply.all_extension_numbers_response.base_type_name


async def test_reflection_needs_a_key_where_calls_do(open_world: OpenWorld) -> None:
    """Strangers learn nothing of the service."""
    world = await open_world(require_keys=True)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(world, VERSIONS[0], list_services="")

    assert "UNAUTHENTICATED" == told(caught.value).code


async def test_reflection_can_be_turned_off(open_world: OpenWorld) -> None:
    """Without it the server does not know the method."""
    world = await open_world(reflection=False)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(world, VERSIONS[0], list_services="")

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()
