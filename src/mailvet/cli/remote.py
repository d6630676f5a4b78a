"""Which server a command talks to: the one it is told, or one of its own."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailvet.cli.flags import DEFAULT_TARGET
from mailvet.client import Client, connect

EMBEDDED_PATIENCE_S = 3.0
"""Somebody waits for a command: it says soon that port 25 is closed; a service has time."""

_NETWORK_SETTINGS = ("resolver", "smtp_port", "allow_network", "helo", "mail_from")


@asynccontextmanager
async def remote_client(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """Yield a client of the server that flags or the environment name."""
    target = arguments.target or os.environ.get("MAILVET_TARGET") or DEFAULT_TARGET
    key = arguments.key or os.environ.get("MAILVET_KEY")
    roots = Path(arguments.ca).read_bytes() if arguments.ca else None
    async with connect(target, key=key, root_certificates=roots) as client:
        yield client


@asynccontextmanager
async def any_client(arguments: argparse.Namespace) -> AsyncIterator[Client]:
    """Yield a client of the server that was named, or of one embedded for this command."""
    if arguments.target or os.environ.get("MAILVET_TARGET"):
        async with remote_client(arguments) as client:
            yield client
        return
    from mailvet.serve.run import Service
    from mailvet.telemetry.logs import configure_logging

    with tempfile.TemporaryDirectory(prefix="mailvet-") as folder:
        settings = network_settings(
            arguments,
            listen=f"unix:{folder}/socket",
            store=f"{folder}/verify.db",
            egress_patience_s=EMBEDDED_PATIENCE_S,
        )
        configure_logging("error", "console")
        async with Service(settings) as service, connect(service.address) as client:
            yield client


def network_settings(arguments: argparse.Namespace, **more: Any) -> Any:
    """Return the settings with a command's network flags, and `more`, on top."""
    from mailvet.config import load

    flags = {name: getattr(arguments, name) for name in _NETWORK_SETTINGS}
    return load({**flags, **more}, arguments.config)


def run(main: Any) -> Any:
    """Run a command's coroutine, on uvloop when it is installed."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
