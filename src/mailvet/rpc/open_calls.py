"""The calls under way, and their end when the key that opened them does not work any more.

A call that says nothing for a while would not notice by itself.
"""

import asyncio
from typing import Any

from mailvet.accounts.authenticator import Authenticator
from mailvet.errors import Unauthenticated, Unavailable
from mailvet.rpc.call import Call

LOOK_EVERY_S = 1.0
"""With the age of what is known of keys: a revoked one works for less than 5 s."""


class OpenCalls:
    """Calls by the task that answers each."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._open: dict[asyncio.Task[Any], Call[Any]] = {}

    def opened(self, call: Call[Any]) -> None:
        """Note a call that the current task answers."""
        task = asyncio.current_task()
        if task is not None and call.caller.key_id:
            self._open[task] = call

    def ended(self) -> None:
        """Note that the call of the current task has ended."""
        task = asyncio.current_task()
        if task is not None:
            self._open.pop(task, None)

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def close(self) -> None:
        """Nothing is left to do."""

    async def look(self) -> None:
        """End the calls whose key was revoked, or is past its time."""
        for task, call in list(self._open.items()):
            try:
                await self._authenticator.recheck(call.caller)
            except Unauthenticated as error:
                if self._open.pop(task, None) is not None:
                    call.ended_by = error
                    task.cancel()
            except Unavailable:
                return  # the store cannot say: the next look asks again
