"""Whether there is a way to the IPv6 Internet from here: our own kernel knows, without a packet."""

import socket
from collections.abc import Callable

LOOK_EVERY_S = 30.0
"""A network may come up after us."""

_ANYBODY = ("2000::1", 53)
"""Of the block that all public addresses are from (RFC 4291 2.4)."""


def has_route() -> bool:
    """Whether the kernel has a route to public IPv6 addresses now."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(_ANYBODY)
    except OSError:
        return False
    return True


class WayOut:
    """Tells whether a public IPv6 address can be dialled; looks now and then."""

    def __init__(self, clock: Callable[[], float], *, look: Callable[[], bool] = has_route) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._look = look
        self._looked_at = float("-inf")
        self._is_there = False

    def __call__(self) -> bool:
        """Whether the kernel has a route, as of the last half minute."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at, self._is_there = now, self._look()
        return self._is_there
