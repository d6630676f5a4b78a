"""Which IP addresses may be dialled: public unicast ones, and networks an operator opens.

The table is `data/special_purpose.toml`; `ipaddress.is_global` is no guard, for it lets through
addresses that embed a private one (NAT64, 6to4, IPv4-compatible).
"""

import ipaddress
import socket
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

NOT_AN_ADDRESS = "not an IP address"

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Block(NamedTuple):
    """One network as numbers, which match an address in a tenth of the time of `ipaddress`."""

    network: int
    mask: int
    reason: str


class _Blocks:
    """Networks, kept apart by the length of their addresses in bytes."""

    def __init__(self, rows: Iterable[tuple[_Network, str]]) -> None:
        self._blocks: dict[int, list[_Block]] = {4: [], 16: []}
        for network, reason in rows:
            block = _Block(int(network.network_address), int(network.netmask), reason)
            self._blocks[network.max_prefixlen // 8].append(block)

    def reason(self, packed: bytes) -> str | None:
        """The reason of the first network that holds the address."""
        value = int.from_bytes(packed, "big")
        for network, mask, reason in self._blocks[len(packed)]:
            if value & mask == network:
                return reason
        return None


class AddressGuard:
    """Tells addresses that may be dialled from special-purpose ones (no SSRF through DNS).

    `allow` opens networks in CIDR notation, for test networks and inside mail; a text that is
    no network raises `ValueError`.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._special = _special_purpose()
        self._allowed = _Blocks((_parse_allowed(text), "allowed") for text in allow)

    def may_dial(self, address: str) -> bool:
        """Whether a connection to the address may be opened; False for what is no IP address."""
        return self.refusal(address) is None

    def refusal(self, address: str) -> str | None:
        """Why the address must not be dialled, with the RFC that says so; None if it may be."""
        packed = _pack(address)
        if packed is None:
            return NOT_AN_ADDRESS
        if self._allowed.reason(packed):
            return None
        embedded = _embedded(packed)
        if not embedded:
            return self._special.reason(packed)
        return next((reason for reason in map(self._refusal_v4, embedded) if reason), None)

    def _refusal_v4(self, packed: bytes) -> str | None:
        return None if self._allowed.reason(packed) else self._special.reason(packed)


def _pack(address: str) -> bytes | None:
    # inet_pton takes no octal, short or decimal spelling and no zone, unlike inet_aton.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None


def _embedded(packed: bytes) -> tuple[bytes, ...]:
    """Every IPv4 address that a packet to this IPv6 address can end up at, or depends on."""
    if len(packed) == 4:
        return ()
    if packed.startswith((_V4_MAPPED, _NAT64)):
        return (packed[12:],)
    if packed.startswith(_6TO4):
        return (packed[2:6],)
    if packed.startswith(_TEREDO):
        # RFC 4380 4: the server's address, and the client's with every bit inverted.
        return packed[4:8], bytes(byte ^ 0xFF for byte in packed[12:])
    # The local-use NAT64 prefix 64:ff9b:1::/48 (RFC 8215) is a row of the table instead: each
    # network chooses for itself where inside of it the IPv4 address stands.
    return ()


_V4_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291 2.5.5.2: ::ffff:0:0/96
_NAT64 = bytes.fromhex("0064ff9b") + bytes(8)  # RFC 6052 2.1: 64:ff9b::/96
_6TO4 = bytes.fromhex("2002")  # RFC 3056 2: 2002::/16
_TEREDO = bytes.fromhex("20010000")  # RFC 4380 2.6: 2001::/32


def _parse_allowed(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not a network: write CIDR such as 10.0.0.0/8 or fd00::/8"
        ) from error


@cache
def _special_purpose() -> _Blocks:
    text = files("mailvet.mx").joinpath("data/special_purpose.toml").read_text("utf-8")
    return _Blocks(
        (ipaddress.ip_network(row["cidr"]), f"{row['name']} ({row['rfc']})")
        for row in tomllib.loads(text)["network"]
    )
