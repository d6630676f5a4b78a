"""How a connection to an exchanger comes about, straight or through a SOCKS5 proxy, and how its
failures are named.

Only IP addresses are dialled, never names: the address that was checked is the one that is used.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from mailvet.model.reply import Trouble
from mailvet.smtp.identity import Identity

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Told at once by our own kernel, without a packet being sent."""

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""We have no socket left for now. That is no exchanger's fault, and sessions that end give theirs
back: it is waited for as long as a connection may take."""

NO_ROOM_PAUSE_S = 0.1
"""Some sessions end in it; and tries that are bound to fail cost nothing so rarely."""

_FROM_SOCKS = {
    3: Trouble.UNREACHABLE,
    4: Trouble.UNREACHABLE,
    5: Trouble.REFUSED,
    6: Trouble.TIMEOUT,
}
"""RFC 1928 6: network, host unreachable; connection refused; TTL expired. The rest is the proxy's
own trouble, and like every trouble of ours UNREACHABLE."""


class NotConnected(Exception):
    """No connection came about; `trouble` says why, `at_once` whether it cost no time."""

    def __init__(self, trouble: Trouble, *, at_once: bool = False) -> None:
        self.trouble = trouble
        self.at_once = at_once
        super().__init__(trouble)


P = TypeVar("P", bound=asyncio.BaseProtocol)


async def connect(
    address: str, port: int, identity: Identity, timeout_s: float, protocol: Callable[[], P]
) -> P:
    """Return the protocol of a new connection; its banner may already have come.

    Raises `NotConnected`, and nothing else for what the network does.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if identity.proxy is not None:
                return await _through_proxy(address, port, identity.proxy, timeout_s, protocol)
            return await dial(address, port, identity.source_address, protocol)
    except TimeoutError:
        raise NotConnected(Trouble.TIMEOUT) from None


async def dial(address: str, port: int, source_address: str | None, protocol: Callable[[], P]) -> P:
    """Connect straight, for as long as the system itself tries; else as `connect`."""
    if is_of_other_version(source_address, address):
        raise NotConnected(Trouble.UNREACHABLE, at_once=True)
    local = (source_address, 0) if source_address is not None else None
    loop = asyncio.get_running_loop()
    while True:
        try:
            _, connected = await loop.create_connection(protocol, address, port, local_addr=local)
        except OSError as error:
            failure = failure_of(error)
            if failure is not None:
                raise failure from None
        else:
            return connected
        await asyncio.sleep(NO_ROOM_PAUSE_S)


def is_of_other_version(source_address: str | None, address: str) -> bool:
    """Whether a source address is of the other IP version, so that nothing leads from it there."""
    return source_address is not None and (":" in source_address) != (":" in address)


def failure_of(error: OSError) -> NotConnected | None:
    """What an error means for a connection; None when we have no socket left for now."""
    if isinstance(error, TimeoutError):  # ETIMEDOUT
        return NotConnected(Trouble.TIMEOUT)
    if isinstance(error, ConnectionError):
        return NotConnected(Trouble.REFUSED)
    if error.errno in _NO_ROOM:
        return None
    return NotConnected(Trouble.UNREACHABLE, at_once=error.errno in _NO_WAY)


async def _through_proxy(
    address: str, port: int, proxy: str, timeout_s: float, protocol: Callable[[], P]
) -> P:
    # Imported late: few installations have a proxy, or the package.
    from python_socks import ProxyError
    from python_socks.async_.asyncio import Proxy

    try:
        connected = await Proxy.from_url(proxy).connect(address, port, timeout=timeout_s)
    except ProxyError as error:
        code = error.error_code
        raise NotConnected(_FROM_SOCKS.get(code or 0, Trouble.UNREACHABLE)) from None
    except TimeoutError:
        raise NotConnected(Trouble.TIMEOUT) from None
    except OSError:  # the proxy itself does not answer: that is ours, not the exchanger's
        raise NotConnected(Trouble.UNREACHABLE) from None
    return await adopt(connected, protocol)


async def adopt(connected: socket.socket, protocol: Callable[[], P]) -> P:
    """Give an open connection a protocol; a socket that cannot have one is closed."""
    try:
        loop = asyncio.get_running_loop()
        _, adopted = await loop.create_connection(protocol, sock=connected)
    except BaseException:
        connected.close()
        raise
    return adopted


@cache
def tls_context() -> ssl.SSLContext:
    """Return a context that takes any certificate and any cipher the library still has.

    Nothing secret is said, and hosts that insist on TLS are often as old as their keys.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
