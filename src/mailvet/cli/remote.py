"""Which server a command talks to: the one it is told, or one of its own."""

import argparse
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import grpc

from mailvet.cli.flags import DEFAULT_TARGET
from mailvet.client import Client, ServiceError, connect
from mailvet.client.errors import details_of
from mailvet.errors import ConfigError
from mailvet.v1 import catalog_service_pb2

EMBEDDED_PATIENCE_S = 3.0
"""Somebody waits for a command: it says soon that port 25 is closed; a service has time."""

EMBEDDED_DRAIN_S = 0.5
"""Its only caller is this command, and nothing of its store is kept."""
MAX_REPLY_BYTES = 16 * 1024 * 1024
"""The largest message a server sends is a quarter of it."""

Metadata = tuple[tuple[str, str], ...]

REACH_S = 5.0
"""Long enough for a server far away, short enough for somebody who waits."""

_NETWORK_SETTINGS = ("resolver", "smtp_port", "allow_network", "helo", "mail_from")
_NETWORK_FLAGS = (*_NETWORK_SETTINGS, "config")


@asynccontextmanager
async def remote_client(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """Yield a client of the server that flags or the environment name."""
    target = _target(arguments) or DEFAULT_TARGET
    key = arguments.key or os.environ.get("MAILVET_KEY")
    roots = Path(arguments.ca).read_bytes() if arguments.ca else None
    tls = arguments.tls or roots is not None
    async with connect(target, key=key, tls=tls, root_certificates=roots) as client:
        await _reach(client, target)
        yield client


@contextmanager
def remote_channel(arguments: argparse.Namespace) -> Iterator[tuple[grpc.Channel, Metadata]]:
    """Yield a channel without our client's retries, and what goes with each call."""
    target = _target(arguments) or DEFAULT_TARGET
    key = arguments.key or os.environ.get("MAILVET_KEY")
    roots = Path(arguments.ca).read_bytes() if arguments.ca else None
    options = [("grpc.max_receive_message_length", MAX_REPLY_BYTES)]
    if arguments.tls or roots is not None:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), options)
    else:
        channel = grpc.insecure_channel(target, options)
    with channel:
        try:
            yield channel, ((("x-api-key", key),) if key else ())
        except grpc.RpcError as error:
            told = cast("grpc.Call", error)
            if told.code() is grpc.StatusCode.UNAVAILABLE and not details_of(error):
                raise _unreachable(target, told.details() or "") from None
            raise


def _target(arguments: argparse.Namespace) -> str:
    return arguments.target or os.environ.get("MAILVET_TARGET") or ""


async def _reach(client: Client, target: str) -> None:
    """Say at once that nobody is there: somebody waits, unlike in a service that retries."""
    request = catalog_service_pb2.GetServerInfoRequest()
    try:
        await client.call(client.catalog.GetServerInfo, request, timeout_s=REACH_S, patience_s=0)
    except ServiceError as error:
        if error.reason or error.code.name not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            raise
        raise _unreachable(target, error.message) from None


def _unreachable(target: str, why: str) -> ConfigError:
    return ConfigError(
        f"no mailvet server answers at {target} ({why.rpartition(': ')[2]}); "
        "start one with `mailvet serve`, or name another with --target"
    )


@asynccontextmanager
async def any_client(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """Yield a client of the server that was named, or of one embedded for this command."""
    if _target(arguments):
        _refuse(arguments, _NETWORK_FLAGS, "is a matter of the server at --target")
        async with remote_client(arguments) as client:
            yield client
        return
    _refuse(arguments, ("key", "tls", "ca"), "goes with --target")
    from mailvet.serve.run import Service
    from mailvet.telemetry.logs import configure_logging

    with tempfile.TemporaryDirectory(prefix="mailvet-") as folder:
        settings = network_settings(
            arguments,
            listen=f"unix:{folder}/socket",
            store=f"{folder}/verify.db",
            egress_patience_s=EMBEDDED_PATIENCE_S,
            drain_grace_s=EMBEDDED_DRAIN_S,
        )
        configure_logging("error", "console")
        async with Service(settings) as service, connect(service.address) as client:
            yield client


def _refuse(arguments: argparse.Namespace, names: Sequence[str], why: str) -> None:
    for name in names:
        if getattr(arguments, name):
            raise ConfigError(f"--{name.replace('_', '-')} {why}")


def network_settings(arguments: argparse.Namespace, **more: Any) -> Any:
    """Return the settings with a command's network flags, and `more`, on top."""
    from mailvet.config import load

    flags = {name: getattr(arguments, name) for name in _NETWORK_SETTINGS}
    return load({**flags, **more}, arguments.config)
