"""One POST to an address that was checked before, and the status it is answered with.

The name of the host is for TLS and the Host header only; nothing is looked up again, no redirect
is followed, and of the answer nothing but its head is read.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence

from mailvet import __version__
from mailvet.callbacks.url import Target

ANSWER_WITHIN_S = 5.0
"""For everything, from the connection to the head of the answer."""
_READ_BYTES = 4_096


class PostFailed(Exception):
    """There was no answer; says why in a few words."""


async def post(
    target: Target,
    address: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    tls: ssl.SSLContext,
    within_s: float = ANSWER_WITHIN_S,
) -> int:
    """Return the status of the answer; raises `PostFailed`."""
    try:
        async with asyncio.timeout(within_s):
            return await _exchange(target, address, headers, body, tls)
    except TimeoutError:
        raise PostFailed(f"no answer within {within_s:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise PostFailed(f"certificate: {error.verify_message}") from None
    except ssl.SSLError:
        raise PostFailed("TLS failed") from None
    except OSError as error:
        raise PostFailed(f"connection: {error.strerror or type(error).__name__}") from None


async def _exchange(
    target: Target,
    address: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    tls: ssl.SSLContext,
) -> int:
    reader, writer = await asyncio.open_connection(
        address,
        target.port,
        ssl=tls if target.tls else None,
        server_hostname=target.host if target.tls else None,
    )
    try:
        return await _ask(reader, writer, target, headers, body)
    finally:
        # Nobody waits for the other side to say goodbye.
        writer.transport.abort()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    target: Target,
    headers: Sequence[tuple[str, str]],
    body: bytes,
) -> int:
    import h11  # only services with callbacks need it

    http = h11.Connection(h11.CLIENT)
    request = h11.Request(
        method="POST",
        target=target.path,
        headers=[
            ("Host", target.authority),
            ("User-Agent", f"mailvet/{__version__}"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
            *headers,
        ],
    )
    # An answer may come before all was sent; a sending that fails then does not matter.
    for part in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(http.send(part) or b"")
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(_READ_BYTES))
            elif isinstance(event, h11.Response):  # others before it are preliminary
                status: int = event.status_code
                return status
    except h11.RemoteProtocolError:  # also when the connection ends early
        raise PostFailed("there came no answer in HTTP/1.1") from None
