"""Which URLs may be called, and their parts; what a name resolves to is looked at later.

A URL is refused for what it says by itself: another scheme or port, a user name, a host that is
neither a name nor an address in its usual spelling (`http://2130706433/` is 127.0.0.1 to many).
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MAX_URL_CHARACTERS = 2_000
"""What servers and proxies take of a request line."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRules:
    """What an operator lets be called."""

    http: bool = False
    """Without TLS too, for tests."""
    ports: frozenset[int] = frozenset({443, 8443})
    """Calls to other ports would make us a scanner; with `http` any may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to call, and for what."""

    tls: bool
    host: str
    """A name in A-labels, or an IP address without brackets."""
    port: int
    authority: str
    """The Host header."""
    path: str
    """Path and query, as the URL has them."""

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address."""
        return ":" in self.host or _ENDS_IN_A_NUMBER.fullmatch(self.host) is not None


def read_url(url: str, rules: UrlRules) -> Target:
    """Return the parts of a URL; raises `ValueError` with what is wrong and the way out."""
    if len(url) > MAX_URL_CHARACTERS:
        raise ValueError(f"{len(url)} characters, at most {MAX_URL_CHARACTERS}; shorten it")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("use printable ASCII without blanks and backslashes; percent-encode them")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("it is no URL; write https://HOST/PATH") from None
    _check_scheme(parts, rules)
    host = _host(parts)
    port = port if port is not None else _PORTS[parts.scheme]
    if not rules.http and port not in rules.ports:
        raise ValueError(f"port {port} is not called here; use {_listed(rules.ports)}")
    return Target(
        tls=parts.scheme == "https",
        host=host,
        port=port,
        authority=parts.netloc,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _check_scheme(parts: SplitResult, rules: UrlRules) -> None:
    if parts.scheme != "https" and not (parts.scheme == "http" and rules.http):
        raise ValueError(f"the scheme is {parts.scheme or 'missing'!r}; use https")
    if parts.username is not None or parts.password is not None:
        raise ValueError("leave out the user name and password; calls are signed instead")
    if parts.fragment:
        raise ValueError("leave out the fragment: it is never sent")


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").removesuffix(".")
    if "[" in parts.netloc:
        return str(ipaddress.IPv6Address(host))  # its message says what is wrong
    if _ENDS_IN_A_NUMBER.fullmatch(host):
        return str(ipaddress.IPv4Address(host))  # takes no octal, short or decimal spelling
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise ValueError(f"{host!r} is no host name; write it in A-labels (xn--...)")
    return host


def _listed(ports: frozenset[int]) -> str:
    return " or ".join(map(str, sorted(ports)))
