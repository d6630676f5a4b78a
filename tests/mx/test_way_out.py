"""Whether IPv6 leads anywhere from here."""

import socket

import pytest

from mailvet.mx import WayOut
from mailvet.mx.way_out import LOOK_EVERY_S, has_route


def test_it_looks_again_after_a_while() -> None:
    """A network that comes up is used, one that goes is not; between looks nothing is asked."""
    times = iter([0.0, LOOK_EVERY_S - 1, LOOK_EVERY_S, 2 * LOOK_EVERY_S - 1, 2 * LOOK_EVERY_S])
    looks = iter([False, True, False])
    way_out = WayOut(lambda: next(times), look=lambda: next(looks))
    assert [False, False, True, True, False] == [way_out() for _ in range(5)]


def test_the_kernel_is_asked_without_a_packet() -> None:
    """It is there exactly when a public address can be routed."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        if has_route():
            probe.connect(("2001:4860:4860::8888", 53))
        else:
            with pytest.raises(OSError, match=r"."):
                probe.connect(("2001:4860:4860::8888", 53))
