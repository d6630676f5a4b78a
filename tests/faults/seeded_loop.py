"""An event loop whose order is decided by a seed, and whose time jumps to the next timer.

What is ready at the same moment runs in an order drawn from the seed, so that some hundred seeds
meet orders that a real loop shows once a year; and each of them can be met again.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TURNS = 2_000_000
"""More than any test needs: a loop that turns longer than this stands still."""


class _Jump(selectors.DefaultSelector):
    """Waits for nothing: what would be slept is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everybody waits for somebody, and nobody for the time")
        self.now += max(timeout, 0.0)
        return []


class SeededLoop(asyncio.SelectorEventLoop):
    """Give it no sockets and no threads: it looks at neither."""

    def __init__(self, seed: int) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._dice = random.Random(seed)
        self._turns = 0

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jump.now

    def _run_once(self) -> None:
        self._turns += 1
        assert self._turns < TURNS, "the loop turns without an end"
        ready = list(self._ready)  # type: ignore[has-type]
        self._dice.shuffle(ready)
        self._ready = deque(ready)
        super()._run_once()  # type: ignore[misc]


def run_seeded(seed: int, main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in the order of a seed."""
    with asyncio.Runner(loop_factory=lambda: SeededLoop(seed)) as runner:
        return runner.run(main)
