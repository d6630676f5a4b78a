"""Numbers for what is alike: a key of one small number costs a tenth of one of many parts."""

from collections.abc import Hashable
from itertools import count

MAX_SORTS = 8192
"""Remembered; one that was forgotten gets another number, and nothing is found by the old one."""


class Sorts:
    """Equal traits get equal numbers; no number is ever given to other traits."""

    def __init__(self) -> None:
        self._sorts: dict[Hashable, int] = {}
        self._numbers = count(1)

    def of(self, traits: Hashable) -> int:
        """Return the number of some traits; never 0."""
        sort = self._sorts.get(traits)
        if sort is None:
            if len(self._sorts) >= MAX_SORTS:
                self._sorts.clear()
            sort = self._sorts[traits] = next(self._numbers)
        return sort
