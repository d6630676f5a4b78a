"""`mailvet call METHOD JSON`: any RPC by its name, for people without grpcurl."""

import argparse
import asyncio
import sys
import textwrap
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from mailvet.cli import methods
from mailvet.cli.documents import Document, documents
from mailvet.cli.lines import json_line
from mailvet.cli.messages import message_of
from mailvet.cli.remote import remote_client
from mailvet.cli.show import as_dict
from mailvet.client import Client
from mailvet.client.errors import details_of
from mailvet.errors import ConfigError
from mailvet.loop import run

EXIT_FAILED = 1


def call(arguments: argparse.Namespace) -> int:
    """Make a call and print each reply as a JSON line; without METHOD, list the methods."""
    if arguments.method is None:
        for method in methods.methods():
            print(f"{methods.short(method):<38}  {_sentence(methods.comment(method))}")
        return 0
    method = methods.find(arguments.method)
    if arguments.describe:
        _describe(method)
        return 0
    try:
        run(_call(method, arguments))
    except grpc.aio.AioRpcError as error:
        _tell(error)
        return EXIT_FAILED
    return 0


async def _call(method: MethodDescriptor, arguments: argparse.Namespace) -> None:
    requests = _encoded(method, documents(arguments.json or "{}"))
    async with remote_client(arguments) as client:
        if method.client_streaming:
            await _converse(client, method, requests, arguments)
            return
        async for request in requests:
            await _converse(client, method, _only(request), arguments)


async def _converse(
    client: Client,
    method: MethodDescriptor,
    requests: AsyncIterator[bytes],
    arguments: argparse.Namespace,
) -> None:
    """Send and print at the same time; every kind of call is a stream of messages on the wire."""
    under_way = client.open(methods.path(method), timeout_s=arguments.timeout)
    reply_type = GetMessageClass(method.output_type)
    sending = asyncio.create_task(_send(under_way, requests))
    try:
        async for raw in under_way:
            print(json_line(as_dict(reply_type.FromString(raw))), flush=True)
    except asyncio.CancelledError:
        if sending.done():
            sending.result()  # what was wrong with the requests
        raise
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _send(under_way: Any, requests: AsyncIterator[bytes]) -> None:
    try:
        async for request in requests:
            await under_way.write(request)
        await under_way.done_writing()
    except (ConfigError, OSError):
        under_way.cancel()
        raise


async def _only(request: bytes) -> AsyncIterator[bytes]:
    yield request


async def _encoded(
    method: MethodDescriptor, found: AsyncIterator[Document]
) -> AsyncIterator[bytes]:
    async for document in found:
        yield message_of(document, method.input_type).SerializeToString()


def _tell(error: grpc.aio.AioRpcError) -> None:
    """Say what went wrong, then each detail as a JSON line."""
    print(f"mailvet: {error.code().name}: {error.details()}", file=sys.stderr)
    for detail in details_of(error):
        told = MessageToDict(detail, preserving_proto_field_name=True)
        print(json_line(told), file=sys.stderr)


def _describe(method: MethodDescriptor) -> None:
    one_way = "stream of " if method.client_streaming else ""
    back = "stream of " if method.server_streaming else ""
    print(f"{methods.short(method)}: {one_way}{method.input_type.name}", end=" -> ")
    print(f"{back}{method.output_type.name}\n")
    for paragraph in methods.comment(method).split("\n"):
        print(textwrap.fill(paragraph, 96, initial_indent="  ", subsequent_indent="  "))
    for message in (method.input_type, method.output_type):
        print(f"\n{message.name}")
        for name, kind, told in methods.fields(message):
            print(
                textwrap.fill(
                    f"{name}  {kind}  {told}", 96, subsequent_indent=" " * 6, initial_indent="  "
                )
            )


def _sentence(comment: str) -> str:
    """The first sentence of a comment."""
    return comment.replace("\n", " ").partition(". ")[0].rstrip(".") + "."
