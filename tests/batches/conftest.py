"""A store, and an engine played by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailvet.store.base import Store
from mailvet.store.sqlite import SqliteStore


@pytest.fixture(name="store")
async def _store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path / "store.db")
    yield store
    await store.close()
