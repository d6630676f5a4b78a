"""Who we are to exchangers."""

import pytest

from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.serve.engine_room import build_identities

TWO = ({"helo": "a.test"}, {"helo": "b.test"})


def test_the_settings_name_one_identity() -> None:
    """Without a pool every route meets the same name and sender."""
    pool = build_identities(load({"helo": "mail.test", "mail_from": "v@mail.test"}))
    assert {("mail.test", "v@mail.test")} == {
        (pool.for_route(route).helo, pool.for_route(route).mail_from) for route in ("x", "y", "z")
    }


def test_a_pool_is_spread_over_routes_and_sticks_to_each() -> None:
    """Every identity is used, and a route meets the same one every time."""
    pool = build_identities(load({"identity": TWO}))
    routes = [f"mx{number}.test" for number in range(50)]
    first = [pool.for_route(route).helo for route in routes]
    assert {"a.test", "b.test"} == set(first)
    assert first == [pool.for_route(route).helo for route in routes]


def test_a_wrong_identity_is_named() -> None:
    """A name that cannot stand in EHLO is refused at the start."""
    with pytest.raises(ConfigError, match="helo"):
        build_identities(load({"identity": ({"helo": "not a name"},)}))
