"""Both stores, empty, with small chunks and a clock that is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import Clock, open_sqlite


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteStore]:
    """An empty SQLite store in `tmp_path / "store.db"`."""
    store = await open_sqlite(tmp_path / "store.db", clock)
    yield store
    await store.close()


@pytest.fixture(params=["memory", "sqlite"])
async def small_store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """Every store in turn, with room for some thirty entries of a tenant."""
    opened: Store
    if request.param == "memory":
        opened = MemoryStore(
            clock=clock, lease_clock=clock, storage_limit_bytes=2_000, batch_limit=3
        )
    else:
        opened = await SqliteStore.open(
            tmp_path / "small.db",
            clock=clock,
            lease_clock=clock,
            reserve_bytes=4096,
            storage_limit_bytes=2_000,
            batch_limit=3,
        )
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    """Every store in turn."""
    opened: Store
    if request.param == "memory":
        opened = MemoryStore(clock=clock, lease_clock=clock, chunk_size=4)
    else:
        opened = await open_sqlite(tmp_path / "store.db", clock)
    yield opened
    await opened.close()
