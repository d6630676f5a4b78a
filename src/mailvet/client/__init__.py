"""The Python client other services install: a typed channel, retries, resuming streams.

async with connect("localhost:50051", key="mv_...") as client:
    answer = await client.verify_email("ann@example.com")

`mailvet.client.sync` has the same for programs without asyncio.
"""

from mailvet.client.aio import Client, connect
from mailvet.client.errors import FieldViolation, ServiceError

__all__ = ["Client", "FieldViolation", "ServiceError", "connect"]
