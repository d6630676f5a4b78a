"""What a store promises about the audit log: rows are added, read, and dropped when old."""

from collections.abc import Sequence
from typing import Protocol

from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow


class AuditStore(Protocol):
    """Keeps the audit log; no row is ever changed.

    A store may add the event of `store.riding` itself, in the same transaction as the first write
    of the call that it is about.
    """

    async def add_audit(self, events: Sequence[AuditEvent]) -> None:
        """Add events, in this order."""
        ...

    async def list_audit(
        self, where: AuditFilter, *, before: int | None = None, limit: int
    ) -> list[AuditRow]:
        """Return events with a number below `before`, the newest (largest number) first."""
        ...

    async def sweep_audit(self, before_time: float) -> int:
        """Drop the events before a time; return how many. A call drops some thousands at most."""
        ...
