"""A store, and an engine played by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore


@pytest.fixture(name="store", params=["memory", "sqlite"])
async def _store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore()
    else:
        store = await SqliteStore.open(tmp_path / "store.db")
    yield store
    await store.close()
