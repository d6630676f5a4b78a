"""How fast a batch advances, from counts that were seen at known moments."""

from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 30.0
"""Long enough to smooth over visits that end in bursts, short enough to show a change."""
SPACING_S = 1.0
"""Counts closer together than this add memory, not knowledge."""
MAX_METERS = 1_000
"""Batches remembered at once, about 1 MB; the one not asked for the longest is forgotten."""


class RateMeter:
    """Counts of many batches over the last half minute; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[int, deque[tuple[float, int]]] = OrderedDict()

    def rate(self, batch_key: int, result_count: int, running_s: float) -> float:
        """Note a count and return results a second of late.

        Without earlier counts it is the mean since the launch, `running_s` seconds ago.
        """
        now = self._clock()
        seen = self._samples(batch_key)
        # The time before the first result is that of finding the exchangers, and comes but once.
        while len(seen) > 1 and (seen[1][0] <= now - WINDOW_S or not seen[1][1]):
            seen.popleft()
        if not seen or now - seen[-1][0] >= SPACING_S:
            seen.append((now, result_count))
        first_time, first_count = seen[0]
        if now - first_time < SPACING_S:
            return result_count / running_s if running_s > 0 else 0.0
        return (result_count - first_count) / (now - first_time)

    def _samples(self, batch_key: int) -> deque[tuple[float, int]]:
        seen = self._seen.setdefault(batch_key, deque())
        self._seen.move_to_end(batch_key)
        if len(self._seen) > MAX_METERS:
            self._seen.popitem(last=False)
        return seen
