"""How the collector of cycles is kept off the hot path of a long-running process."""

import gc

THRESHOLDS = (50_000, 20, 50)
"""Containers made before the collector looks at them, and how often before it looks deeper."""


def spare_the_collector() -> None:
    """Let the collector of cycles run less often, and never over what is there from the start.

    Looking through the lists again and again took a seventh of the time of a batch. What is made
    for an entry has no cycles; those of a session or a call are few.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
