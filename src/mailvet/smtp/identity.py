"""Who we are to an exchanger: name, sender, source address and proxy go together as one unit.

Greylists and reputation remember the whole of it, so a route always meets the same identity.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_DOMAIN = re.compile(
    r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE | re.ASCII
)
"""RFC 5321 4.1.2, Domain; a single label passes, since a test machine may have no more."""
_DOT_STRING = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One identity; a `ValueError` names the part that cannot be used, and why."""

    helo: str
    """Our name in EHLO: a domain name or an address literal (RFC 5321 4.1.4)."""
    mail_from: str = ""
    """Our sender; empty is the null sender (RFC 5321 4.5.5)."""
    source_address: str | None = None
    """The local IP address to connect from."""
    proxy: str | None = None
    """`socks5://[USER:PASSWORD@]HOST:PORT` to connect through."""

    def __post_init__(self) -> None:
        """Check every part, since each of them goes on the wire."""
        if not _is_host(self.helo):
            raise ValueError(
                f"helo {self.helo!r} is neither a domain name nor an address literal "
                "such as [192.0.2.1]"
            )
        if self.mail_from and not _is_mailbox(self.mail_from):
            raise ValueError(
                f"mail_from {self.mail_from!r} is no address such as probe@example.org; "
                "leave it empty for the null sender"
            )
        if self.source_address is not None and not _is_ip(self.source_address):
            raise ValueError(f"source_address {self.source_address!r} is no IP address")
        if self.proxy is not None:
            _check_proxy(self.proxy)
            if self.source_address is not None:
                raise ValueError("source_address and proxy exclude each other: a proxy has its own")


class IdentityPool:
    """Identities to choose from, sticky by route, without those that are marked unhealthy."""

    def __init__(self, identities: Iterable[Identity]) -> None:
        self._identities = tuple(identities)
        if not self._identities:
            raise ValueError("an identity pool needs at least one identity")
        self._unhealthy: set[Identity] = set()

    def for_route(self, route: str) -> Identity:
        """Return the route's identity: the same one as long as it is healthy.

        Rendezvous hashing: when one identity falls ill, only its own routes move, and they come
        back with it. When all are ill, the choice is made among all, since some answer is better
        than none.
        """
        if len(self._identities) == 1:
            return self._identities[0]
        healthy = [each for each in self._identities if each not in self._unhealthy]
        return max(healthy or self._identities, key=lambda each: _weight(each, route))

    def mark(self, identity: Identity, *, healthy: bool) -> None:
        """Note whether an identity may be used."""
        if healthy:
            self._unhealthy.discard(identity)
        else:
            self._unhealthy.add(identity)


def _weight(identity: Identity, route: str) -> bytes:
    # Not hash(): that differs from process to process, and greylists outlive ours.
    parts = (identity.helo, identity.mail_from, identity.source_address, identity.proxy, route)
    return blake2b(repr(parts).encode(), digest_size=8).digest()


def _is_host(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1]
        if inner.lower().startswith("ipv6:"):
            return isinstance(_ip(inner[5:]), IPv6Address)
        return isinstance(_ip(inner), IPv4Address)
    return len(text) <= 255 and _DOMAIN.fullmatch(text) is not None


def _is_mailbox(text: str) -> bool:
    local_part, _, domain = text.rpartition("@")
    return (
        len(text) <= 254
        and len(local_part) <= 64
        and _DOT_STRING.fullmatch(local_part) is not None
        and _is_host(domain)
    )


def _is_ip(text: str) -> bool:
    return _ip(text) is not None


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _check_proxy(proxy: str) -> None:
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme == "socks5" and parts.hostname and parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("proxy must look like socks5://HOST:PORT")  # not shown: has a password
    if find_spec("python_socks") is None:
        raise ValueError("a proxy needs the package python-socks: pip install python-socks")
