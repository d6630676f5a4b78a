"""What an event loop has one of, for all connections in it."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, ref

One = TypeVar("One")


class PerLoop(Generic[One]):
    """Makes one for each loop when it is first asked for; it must not keep its loop alive."""

    def __init__(self, make: Callable[[AbstractEventLoop], One]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[AbstractEventLoop, One] = WeakKeyDictionary()
        self._last: tuple[ref[AbstractEventLoop], One] | None = None

    def of(self, loop: AbstractEventLoop) -> One:
        """Return that of a loop, which is mostly that of the last call."""
        last = self._last
        if last is not None and last[0]() is loop:
            return last[1]
        one = self._made.get(loop)
        if one is None:
            one = self._made[loop] = self._make(loop)
        self._last = ref(loop), one
        return one

    def use(self, loop: AbstractEventLoop, one: One) -> None:
        """Have a loop use this one."""
        self._made[loop] = one
        self._last = None
