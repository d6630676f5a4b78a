"""Whether a host can be connected to and greets: the smallest thing SMTP can tell about us."""

import asyncio
from contextlib import suppress


async def greets(
    address: str, port: int, *, timeout_s: float, source_address: str | None = None
) -> bool:
    """Connect to an IP address, wait for the first line of a banner, say QUIT; whether it came.

    Any banner will do, also one that refuses us: the way out of our network is open.
    """
    local = (source_address, 0) if source_address else None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(
                address, port, local_addr=local, limit=4096
            )
            try:
                line = await reader.readline()
                writer.write(b"QUIT\r\n")
                return line[:3].isdigit()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):  # ValueError: a line longer than the limit
        return False
