"""How long an event loop stands still by its own doing: a busy machine does not count."""

import asyncio
import time
from pathlib import Path

NAP_S = 0.01


class Lag:
    """Wakes up again and again, and notes how much later than asked for."""

    def __init__(self) -> None:
        self.worst_s = 0.0

    async def watch(self) -> None:
        """Watch the running loop until cancelled."""
        while True:
            before, waited_before = time.monotonic(), waited_s()
            await asyncio.sleep(NAP_S)
            late_s = time.monotonic() - before - NAP_S
            # A lock or a sleep that holds the loop is no wait for a processor: it stays counted.
            self.worst_s = max(self.worst_s, late_s - (waited_s() - waited_before))


def waited_s() -> float:
    """How long threads of this process were ready to run while others ran; 0.0 but on Linux.

    All threads: one that waits for a processor may hold the interpreter's lock.
    """
    told = [path.read_text("ascii") for path in Path("/proc/self/task").glob("*/schedstat")]
    return sum(int(text.split()[1]) for text in told) / 1e9
