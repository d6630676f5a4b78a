"""An event for the audit log that rides with the first write of its call, in the same transaction.

So what a call did and that it did it are durable together, at the cost of one row and no commit.
Who handles the call sets `RIDER`; a store that has transactions takes the event along.
"""

import asyncio
from contextvars import ContextVar

from mailvet.model.audit import AuditEvent


class Rider:
    """An event on its way; it is written once at most."""

    def __init__(self, event: AuditEvent) -> None:
        self.event = event
        self.written = False
        """Whether it is committed."""
        self._under_way: asyncio.Future[None] | None = None

    def take(self) -> bool:
        """Whether the write that asks is to take it along: not while another one does."""
        if self.written or self._under_way is not None:
            return False
        self._under_way = asyncio.get_running_loop().create_future()
        return True

    def arrived(self, *, written: bool) -> None:
        """Note how the write ended that took it along."""
        self.written = written
        if self._under_way is not None:
            self._under_way.set_result(None)
            self._under_way = None

    async def settled(self) -> bool:
        """Wait while a write has it; whether it is committed then."""
        if self._under_way is not None:
            await asyncio.shield(self._under_way)
        return self.written

    @property
    def under_way(self) -> bool:
        """Whether a write has it now."""
        return self._under_way is not None


RIDER: ContextVar[Rider | None] = ContextVar("RIDER", default=None)
"""The event of the call that the current task handles, where it may ride."""
