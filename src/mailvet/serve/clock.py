"""Whether the host's clock can be trusted, as far as the host itself knows."""

import ctypes
import sys
import time

OLDEST = 1_763_683_200.0
"""2025-11-21: before this was written it cannot be."""
_TIME_ERROR = 5
"""What adjtimex(2) returns for a clock that nobody keeps."""
_TIMEX_BYTES = 512
"""More than struct timex has on any platform; with `modes` 0 nothing is set."""


def clock_fault(now: float | None = None) -> str:
    """Return what is wrong with the clock; empty when nothing is known against it."""
    if (time.time() if now is None else now) < OLDEST:
        return "this day is long past"
    if sys.platform != "linux":
        return ""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return "the kernel says that nothing keeps it right" if state == _TIME_ERROR else ""
