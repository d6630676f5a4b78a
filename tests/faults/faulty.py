"""A store of which the N-th call of a method fails, before or after it took effect."""

import enum
from typing import Any

from mailvet.errors import Unavailable
from mailvet.store.base import Store


class When(enum.Enum):
    """What a call that fails has done."""

    BEFORE = "before"
    AFTER = "after"


class FaultyStore:
    """Every method of a store, passed on; armed, it fails one call.

    Stands in for a `Store`: properties and methods are looked up in the real one.
    """

    def __init__(self, store: Store) -> None:
        self._real = store
        self._method = ""
        self._countdown = 0
        self._when = When.BEFORE
        self.failed = False
        """Whether anything failed since it was armed."""

    def arm(self, method: str, number: int, when: When) -> None:
        """Let the call of a method with this number from now (from 1) fail."""
        self._method, self._countdown, self._when, self.failed = method, number, when, False

    def disarm(self) -> None:
        """Let nothing fail."""
        self._method = ""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if not callable(value) or name == "close":
            return value

        async def call(*arguments: Any, **keywords: Any) -> Any:
            if name != self._method:
                return await value(*arguments, **keywords)
            self._countdown -= 1
            if self._countdown != 0:
                return await value(*arguments, **keywords)
            self.failed = True
            if self._when is When.AFTER:
                await value(*arguments, **keywords)
            raise Unavailable(f"{name} failed on purpose", retry_after_s=0.01)

        return call
