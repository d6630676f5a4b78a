"""The audit log of a memory store."""

from collections.abc import Sequence

from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow


class MemoryAudit:
    """The part of a memory store that answers `AuditStore`."""

    _audit: list[AuditRow]

    async def add_audit(self, events: Sequence[AuditEvent]) -> None:
        """See `AuditStore.add_audit`."""
        first = self._audit[-1].number + 1 if self._audit else 1
        self._audit += [AuditRow(first + place, event) for place, event in enumerate(events)]

    async def list_audit(
        self, where: AuditFilter, *, before: int | None = None, limit: int
    ) -> list[AuditRow]:
        """See `AuditStore.list_audit`."""
        found = (
            row
            for row in reversed(self._audit)
            if (before is None or row.number < before) and _fits(row.event, where)
        )
        return [row for row, _ in zip(found, range(limit), strict=False)]

    async def sweep_audit(self, before_time: float) -> int:
        """See `AuditStore.sweep_audit`."""
        kept = [row for row in self._audit if row.event.event_time >= before_time]
        dropped = len(self._audit) - len(kept)
        self._audit = kept
        return dropped


def _fits(event: AuditEvent, where: AuditFilter) -> bool:
    return (
        where.tenant in (None, event.tenant)
        and where.batch_id in ("", event.batch_id)
        and where.key_id in ("", event.key_id)
        and (where.start_time is None or event.event_time >= where.start_time)
        and (where.end_time is None or event.event_time < where.end_time)
    )
