"""Which name servers are asked: what the operator wrote, or what the system uses."""

import ipaddress
import socket
from pathlib import Path
from typing import NamedTuple

DNS_PORT = 53

RESOLV_CONF = Path("/etc/resolv.conf")


class NameServer(NamedTuple):
    """Where one name server listens."""

    host: str
    """An IP address, IPv6 without brackets."""
    port: int = DNS_PORT


def nameservers_from(text: str | None, *, system: Path = RESOLV_CONF) -> list[NameServer]:
    """Return the name servers of `HOST:PORT[,HOST:PORT]`, or the system's when `text` is None.

    The port may be left out (53); IPv6 stands in brackets when a port follows. A host name is
    looked up once, now, with the system's resolver. `ValueError` says what is wrong and how to
    write it.
    """
    if text is None:
        return _of_system(system)
    return [_parse(item.strip()) for item in text.split(",")]


def _parse(item: str) -> NameServer:
    host, port = _split(item)
    if not host:
        raise ValueError(f"{item!r} names no host: write HOST:PORT, such as 127.0.0.1:53")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"{item!r} has no port from 1 to 65535: write HOST:PORT")
    return NameServer(_address(host), int(port))


def _split(item: str) -> tuple[str, str]:
    """Host and port of one item, the default port when there is none."""
    if item.startswith("["):
        host, bracket, rest = item[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{item!r} is not [IPV6]:PORT, such as [::1]:53")
        return host, rest[1:] if rest else str(DNS_PORT)
    if item.count(":") > 1:
        return _bare_v6(item), str(DNS_PORT)
    host, colon, port = item.partition(":")
    return host, port if colon else str(DNS_PORT)


def _bare_v6(item: str) -> str:
    if not _is_address(item):
        raise ValueError(f"{item!r} is no IPv6 address; with a port write [::1]:53")
    return item


def _address(host: str) -> str:
    if _is_address(host):
        return host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"{host!r} is neither an IP address nor a name this system knows ({error})"
        ) from error
    return str(found[0][4][0])


def _of_system(path: Path) -> list[NameServer]:
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    hosts = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
    # resolv.conf(5): without a nameserver line the local one is meant.
    usable = [host for host in hosts if _is_address(host)] or ["127.0.0.1"]
    return [NameServer(host) for host in usable]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
