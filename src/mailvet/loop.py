"""The event loop that every process of ours runs on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine and return what it returns."""
    with runner() as loop:
        return loop.run(main)


def runner() -> asyncio.Runner:
    """Return an event loop, uvloop's when it is installed, to be closed by `with`."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
