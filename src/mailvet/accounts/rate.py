"""How many calls a key may make: the generic cell rate algorithm (ITU-T I.371), a time a key.

A key may always make `burst` calls at once after it was quiet; in the long run it makes `rate` a
second. What is kept of a key is one number: when it would be even with its rate.
"""

from collections import OrderedDict
from collections.abc import Callable

MAX_KEYS = 10_000
"""Keys remembered; who is forgotten may make a burst again, no more."""


class Rate:
    """A rate for each of many keys; `clock` is monotonic seconds, a rate of 0 holds nobody."""

    def __init__(self, per_s: float, burst: int, *, clock: Callable[[], float]) -> None:
        self._interval_s = 1 / per_s if per_s > 0 else 0.0
        self._tolerance_s = self._interval_s * (burst - 1)
        self._burst = burst
        self._clock = clock
        self._even_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> float:
        """Count a call; return 0, or in how many seconds it may come again: then it is not counted.

        A refused call costs nothing, so that who waits as long as told is let through.
        """
        if not self._interval_s:
            return 0.0
        now = self._clock()
        even_at = max(self._even_at.get(key, 0.0), now)
        wait_s = even_at - self._tolerance_s - now
        if wait_s > 0:
            return wait_s
        self._even_at[key] = even_at + self._interval_s
        self._even_at.move_to_end(key)
        if len(self._even_at) > MAX_KEYS:
            self._even_at.popitem(last=False)
        return 0.0

    def used(self, key: str) -> int:
        """Return how many calls of its burst a key has used up now."""
        if not self._interval_s:
            return 0
        behind_s = max(0.0, self._even_at.get(key, 0.0) - self._clock())
        return min(self._burst, -int(-behind_s // self._interval_s))
