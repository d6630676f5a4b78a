"""What holds up all work now: what engines say, and what the store finds out by itself.

Kept in memory on purpose: when the disk is full it must be possible to say so, and whoever works
after a restart finds out anew.
"""

from mailvet.telemetry.logs import logger

DISK_FULL = "DISK_FULL"
STORE_LOCKED = "STORE_LOCKED"
MEMORY_SHORT = "MEMORY_SHORT"
THROTTLED = "THROTTLED"
"""Exchangers asked for less: it holds up a part of the work, never all, and warns of nothing."""

_LOG = logger("store")


class Hindrances:
    """Details by kind; a change is logged once, however many callers meet it."""

    def __init__(self) -> None:
        self._details: dict[str, str] = {}

    def note(self, kind: str, detail: str | None) -> None:
        """Say, or with None take back, what holds up all work."""
        if detail is None:
            if self._details.pop(kind, None) is not None:
                _LOG.info("store.recovered", kind=kind)
            return
        if kind not in self._details:
            say = _LOG.info if kind == THROTTLED else _LOG.warning
            say("store.hindered", kind=kind, detail=detail)
        self._details[kind] = detail

    def __contains__(self, kind: str) -> bool:
        return kind in self._details

    def listed(self) -> list[tuple[str, str]]:
        """Return all that is said now, as (kind, detail)."""
        return sorted(self._details.items())
