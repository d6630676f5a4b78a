"""What grpc leaves behind of every call, taken away a little at a time.

To find the handler of a call grpc.aio (1.85) makes a function that names itself, and with it the
call's metadata: five objects that only the collector of cycles frees. Left to itself, with
thresholds made for batches (`serve.process`), it comes once in 10,000 calls and then holds up all
that are under way for 20 to 60 ms.
"""

import gc
from collections.abc import Callable

SWEEP_CALLS = 128
"""Of 640 objects in circles: a third of a millisecond."""

DEEPER_EVERY = 32
"""Sweeps: what calls under way had made by then was passed over."""

DEEPEST_EVERY = 8_192
"""Sweeps, a million calls: it looks through all that is remembered, some 100 ms."""


class Circles:
    """Counts calls; `collect` frees the circles of a generation, 0 to 2."""

    def __init__(self, collect: Callable[[int], object] = gc.collect) -> None:
        self._collect = collect
        self._calls = 0

    def call_ended(self) -> None:
        """Note that a call ended."""
        self._calls += 1
        sweep, rest = divmod(self._calls, SWEEP_CALLS)
        if rest == 0:
            deep = sweep % DEEPER_EVERY == 0
            self._collect(2 if sweep % DEEPEST_EVERY == 0 else int(deep))
