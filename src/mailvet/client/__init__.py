"""The Python client other services install: a typed channel, retries, resuming streams.

async with connect("localhost:50051", key="mv_...") as client:
    answer = await client.verify_email("ann@example.com")
"""

from mailvet.client.aio import Client, connect
from mailvet.client.errors import ServiceError

__all__ = ["Client", "ServiceError", "connect"]
