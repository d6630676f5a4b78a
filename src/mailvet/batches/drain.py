"""The moment the server starts to go away, and how waiting callers hear of it at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Drain:
    """Begins once and stays begun; make it inside the running event loop."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().create_future()

    @property
    def begun(self) -> bool:
        """Whether the server is going away."""
        return self._begun.done()

    def begin(self) -> None:
        """Wake everybody who waits."""
        if not self._begun.done():
            self._begun.set_result(None)

    async def unless(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what `work` returns, or None as soon as the server goes away."""
        if self.begun:
            work.close()
            return None
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._begun), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
