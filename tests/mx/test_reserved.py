"""Addresses that may be dialled and addresses that may not."""

import tomllib
from pathlib import Path

import pytest

from mailvet.mx.reserved import NOT_AN_ADDRESS, AddressGuard

CASES = tomllib.loads(
    (Path(__file__).parents[1] / "cases" / "reserved_addresses.toml").read_text("utf-8")
)


@pytest.mark.parametrize("address", CASES["refused"])
def test_special_purpose_addresses_are_refused(address: str) -> None:
    """No address of a special-purpose network may be dialled, however it is embedded."""
    assert False is AddressGuard().may_dial(address)


@pytest.mark.parametrize("address", CASES["dialled"])
def test_public_addresses_are_dialled(address: str) -> None:
    """Public unicast addresses may be dialled, right up to the border of a reserved network."""
    assert None is AddressGuard().refusal(address)


@pytest.mark.parametrize("text", CASES["not_addresses"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """Short, octal, decimal and scoped spellings are no addresses, even with all opened."""
    assert NOT_AN_ADDRESS == AddressGuard(["0.0.0.0/0", "::/0"]).refusal(text)


def test_a_refusal_names_the_network_and_its_rfc() -> None:
    """People see which rule keeps an address from being dialled."""
    assert "loopback (RFC 1122 3.2.1.3)" == AddressGuard().refusal("127.0.0.1")
    assert "private use (RFC 1918 3)" == AddressGuard().refusal("64:ff9b::a00:1")


@pytest.mark.parametrize(
    ("allow", "address", "expected"),
    [
        ("127.0.0.0/8", "127.1.0.1", True),
        ("127.0.0.0/8", "10.0.0.1", False),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "64:ff9b::127.0.0.1", True),
        ("127.0.0.0/8", "2002:7f00:1::1", True),
        ("127.0.0.0/8", "::1", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("10.1.2.3/8", "10.200.0.1", True),
        ("::1/128", "::1", True),
        (" fd00::/8 ", "fd12::1", True),
        ("fd00::/8", "fc00::1", False),
        ("64:ff9b:1::/48", "64:ff9b:1::1", True),
        ("0.0.0.0/0", "192.168.0.1", True),
        ("0.0.0.0/0", "fd00::1", False),
    ],
)
def test_an_operator_opens_networks(allow: str, address: str, expected: bool) -> None:
    """An allowed network opens its addresses, also embedded ones, and no others."""
    assert expected is AddressGuard([allow]).may_dial(address)


@pytest.mark.parametrize("text", ["", "10.0.0/8", "loopback", "10.0.0.0/33", "::/129"])
def test_an_allowed_network_must_be_one(text: str) -> None:
    """A mistyped network is refused with the way it is written."""
    with pytest.raises(ValueError, match=r"write CIDR such as 10\.0\.0\.0/8"):
        AddressGuard([text])
