"""When the worker turns to the store: often enough for short lists, seldom enough for long ones."""

from typing import NamedTuple

MANY_RESULTS = 64
"""In one commit: nobody waits for the next ones as for those of a short list."""


class Rhythm(NamedTuple):
    """How often the worker turns to the store, in seconds."""

    heartbeat_s: float = 5.0
    """A lease lasts several of these, so one missed beat loses nothing."""
    settle_every_s: float = 0.02
    """Collects the results of many chunks for one commit; readers see them this much later."""
    settle_busy_s: float = 0.1
    """In place of that while there are many: five commits cost more than one of five times as many
    results, and every one wakes those who read."""
    idle_s: float = 5.0
    """How long to wait for a signal before looking into the store anyway."""
    retry_s: float = 1.0
    """After the store refused (disk full, locked); what was learnt is kept and offered again."""

    def collect_s(self, last: int) -> float:
        """For how long results are collected for a commit; the `last` one had so many."""
        return self.settle_every_s if last < MANY_RESULTS else self.settle_busy_s


DEFAULT_RHYTHM = Rhythm()
