"""Which exchangers have asked for less and are waited for, in a sentence for those who watch."""

import math
from collections.abc import Iterable

from mailvet.engine.routes import Route

_NAMED = 3
"""Exchangers that are named; the others are counted."""
_STEP_S = 5
"""Waits are told in steps of this, so that the sentence does not change every second."""


def throttling(routes: Iterable[Route], now: float) -> str | None:
    """Return who is waited for, those with the most entries first; None when nobody is.

    `now` is the engine's clock.
    """
    waiting = sorted((one for one in routes if one.queued), key=lambda one: -one.queued)
    if not waiting:
        return None
    told = [_told(route, now) for route in waiting[:_NAMED]]
    if len(waiting) > _NAMED:
        told.append(f"{len(waiting) - _NAMED} more")
    return "exchangers asked for less: " + ", ".join(told)


def _told(route: Route, now: float) -> str:
    host = route.exchangers[0].host if route.exchangers else route.key
    left_s = max(1, math.ceil((route.pace.cool_until - now) / _STEP_S)) * _STEP_S
    return f"{host} (within {left_s} s, {route.queued} entries wait)"
