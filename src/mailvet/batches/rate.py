"""How fast a batch advances, from counts that were seen at known moments.

Results come in bursts: the sessions of a batch begin together, and each ends with all of its
recipients. So speed is measured from one change of the count to another, and not to the moment of
the look, which mostly falls amid the next burst.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

WINDOW_S = 30.0
"""Long enough to smooth over visits that end in bursts, short enough to show a change."""
SPACING_S = 1.0
"""Changes closer together than this add memory, not knowledge."""
ENOUGH = 3
"""A third of the time before the first results has to be seen after them to tell a rate: bursts
that come closely together are one."""
MAX_METERS = 1_000
"""Batches remembered at once, about 1 MB; the one not asked for the longest is forgotten."""


class Pace(NamedTuple):
    """How fast a batch advances."""

    rate: float = 0.0
    """Results a second of late."""
    since_s: float = 0.0
    """How long ago the rate was true: so much of the time that remains is over."""


class _Change(NamedTuple):
    at: float
    results: int


class RateMeter:
    """Changes of the counts of many batches over half a minute; `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[int, deque[_Change]] = OrderedDict()

    def pace(self, batch_key: int, result_count: int, running_s: float) -> Pace:
        """Note a count and return the pace of late, of a batch launched `running_s` seconds ago.

        As long as little was seen it is the mean since the launch; what passes before the first
        results is that of finding the exchangers, and comes but once.
        """
        now = self._clock()
        seen = self._changes(batch_key)
        _note(seen, _Change(now, result_count))
        if not result_count or running_s <= 0:
            return Pace()
        first, last = seen[0], seen[-1]
        launch = _Change(now - running_s, 0)
        begin = first
        if last.at - first.at < min(first.at - launch.at, WINDOW_S) / ENOUGH or first is last:
            begin = launch
        idle_s = now - last.at
        if last.at <= begin.at or idle_s > _longest_gap(begin, seen):  # it stands still
            return Pace((last.results - begin.results) / max(now - begin.at, running_s * 1e-9))
        return Pace((last.results - begin.results) / (last.at - begin.at), idle_s)

    def _changes(self, batch_key: int) -> deque[_Change]:
        seen = self._seen.setdefault(batch_key, deque())
        self._seen.move_to_end(batch_key)
        if len(self._seen) > MAX_METERS:
            self._seen.popitem(last=False)
        return seen


def _note(seen: deque[_Change], change: _Change) -> None:
    """Keep a change; one that follows another closely stands in for it."""
    while len(seen) > 1 and seen[1].at <= change.at - WINDOW_S:
        seen.popleft()
    if not change.results or (seen and seen[-1].results == change.results):
        return
    if len(seen) > 1 and change.at - seen[-2].at < SPACING_S:
        seen.pop()
    seen.append(change)


def _longest_gap(begin: _Change, seen: deque[_Change]) -> float:
    times = [begin.at, *(change.at for change in seen)]
    return max(after - before for before, after in pairwise(times))
