"""A real server on loopback over a real store, and a client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from tests.rpc.world import World, open_world

OpenWorld = Callable[..., Awaitable[World]]


BOTH_STORES = (
    "test_batch_service",
    "test_error_table",
    "test_file_stream",
    "test_result_service",
    "test_upload_stream",
)
"""Where the store matters; elsewhere the memory store is enough."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of `BOTH_STORES` over both, unless they say which they need."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "store" not in metafunc.fixturenames or any(mark.args[0] == "store" for mark in marks):
        return
    both = metafunc.module.__name__.endswith(BOTH_STORES)
    metafunc.parametrize("store", ["memory", "sqlite"] if both else ["memory"], indirect=True)


@pytest.fixture(name="store")
async def _store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore()
    else:
        store = await SqliteStore.open(tmp_path / "store.db")
    yield store
    await store.close()


@pytest.fixture(name="open_world")
async def _open_world(store: Store) -> AsyncIterator[OpenWorld]:
    """Opens servers over the store (or over `store=`), each with a client."""
    async with AsyncExitStack() as stack:

        async def opened(**changes: Any) -> World:
            return await stack.enter_async_context(open_world(**({"store": store} | changes)))

        yield opened


@pytest.fixture(name="world")
async def _world(open_world: OpenWorld) -> World:
    return await open_world()
