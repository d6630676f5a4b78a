"""Which failures are tried again, after what wait, and when to give up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from mailvet.client.errors import ServiceError, from_rpc_error

FIRST_WAIT_S, MAX_WAIT_S = 0.1, 5.0
"""The first retry is soon (a proxy's hiccup), the later ones leave a starting server in peace."""
_CUT_WHILE_WRITING = "Internal error from Core"
"""What grpc.aio says of a write that met the end of its stream; how it ended is lost then."""

T = TypeVar("T")


class Patience:
    """How long a caller waits for a server that does not answer, since it last did."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers from 0 to 1, so that many clients do not come back at once."""
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self.progressed()

    def progressed(self) -> None:
        """Note that the server has answered: patience starts anew."""
        self._failures = 0
        self._failing_since = 0.0

    async def rest(self, seconds: float) -> None:
        """Wait as long as a server that goes away has asked for."""
        await self._sleep(max(seconds, FIRST_WAIT_S))

    async def wait_or_raise(self, error: grpc.aio.AioRpcError) -> None:
        """Wait before the next try; raises the `ServiceError` when there is to be none.

        UNAVAILABLE is tried again (AIP-194), RESOURCE_EXHAUSTED when the server says how long to
        wait, and a write to a stream that had just ended. RetryInfo is the least that is waited.
        """
        told = from_rpc_error(error)
        if not _may_pass(told):
            raise told from None
        if not self._failures:
            self._failing_since = self._clock()
        backoff_s = min(FIRST_WAIT_S * 2**self._failures, MAX_WAIT_S)
        wait_s = max(backoff_s * (1 + self._jitter()) / 2, told.retry_after_s or 0.0)
        if self._clock() + wait_s > self._failing_since + self._seconds:
            raise told from None
        self._failures += 1
        await self._sleep(wait_s)


def _may_pass(error: ServiceError) -> bool:
    if error.code is grpc.StatusCode.INTERNAL:
        return error.message == _CUT_WHILE_WRITING and not error.reason
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error.retry_after_s is not None
    return error.code is grpc.StatusCode.UNAVAILABLE


async def retried(once: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Return what `once` returns, tried as often as patience allows; raises `ServiceError`."""
    while True:
        try:
            return await once()
        except grpc.aio.AioRpcError as error:
            await patience.wait_or_raise(error)
