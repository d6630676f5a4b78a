"""Weighted fair queueing: the stamp by which queued work is ordered.

A stamp is written once, when work is queued, so claiming is a plain ordered read. Virtual time is
the largest stamp claimed so far (start-time fair queueing, Goyal, Vin and Cheng 1996).
"""

from mailvet.model.batch import DEFAULT_PRIORITY

PRIORITY_DOUBLING = 32
"""So many steps of priority double the speed: 0-255 spans 1/16 to 16 around the middle."""


def cost(size: int, priority: int) -> float:
    """Return how far `size` entries of a batch move its stamp: less when it is to go faster."""
    speed: float = 2.0 ** ((priority - DEFAULT_PRIORITY) / PRIORITY_DOUBLING)
    return size / speed


def reweighed(stamp: float, base: float, *, old: int, new: int) -> float:
    """Return the stamp of queued work whose batch gets another priority: as if it was queued so.

    `base` is where its batch stands now; the way from there is what the priority decides.
    """
    return base + max(0.0, stamp - base) * cost(1, new) / cost(1, old)


def stamps(sizes: list[int], *, priority: int, virtual_time: float, last: float) -> list[float]:
    """Return one stamp for each chunk of a batch, in the order it should be served.

    `last` is the last stamp the batch was given before. A batch that queues late starts at the
    virtual time: it neither waits for the whole queue nor is paid for the time it was away.
    """
    at = max(virtual_time, last)
    given = []
    for size in sizes:
        at += cost(size, priority)
        given.append(at)
    return given
