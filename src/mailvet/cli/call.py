"""`mailvet call METHOD JSON`: any RPC by its name, for people without grpcurl."""

import argparse
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from mailvet.cli import methods
from mailvet.cli.documents import Document, documents
from mailvet.cli.lines import json_line
from mailvet.cli.messages import message_of
from mailvet.cli.remote import remote_channel
from mailvet.cli.show import as_dict
from mailvet.client.errors import details_of
from mailvet.errors import ConfigError

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
        _call(method, arguments)
    except grpc.RpcError as error:
        _tell(error)
        return EXIT_FAILED
    return 0


def _call(method: MethodDescriptor, arguments: argparse.Namespace) -> None:
    requests = _encoded(method, documents(arguments.json or "{}"))
    with remote_channel(arguments) as (channel, metadata):
        # Every kind of call is a stream of messages on the wire.
        called = channel.stream_stream(methods.path(method), None, None)
        streams = [requests] if method.client_streaming else ([one] for one in requests)
        for stream in streams:
            sent = _Sent(stream)
            _print(method, sent, called(sent, timeout=arguments.timeout, metadata=metadata))


class _Sent:
    """The requests of a call, which gRPC asks for on a thread of its own."""

    def __init__(self, requests: Iterable[bytes]) -> None:
        self._requests = iter(requests)
        self.error: Exception | None = None
        """What was wrong with the one after the last."""

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._requests)
        except (ConfigError, OSError) as error:
            self.error = error
            raise


def _print(method: MethodDescriptor, sent: _Sent, replies: Iterable[bytes]) -> None:
    reply_type = GetMessageClass(method.output_type)
    try:
        for raw in replies:
            print(json_line(as_dict(reply_type.FromString(raw))), flush=True)
    except grpc.RpcError:
        if sent.error is not None:
            raise sent.error from None
        raise


def _encoded(method: MethodDescriptor, found: Iterable[Document]) -> Iterator[bytes]:
    for document in found:
        yield message_of(document, method.input_type).SerializeToString()


def _tell(error: Any) -> None:
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
