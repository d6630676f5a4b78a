"""The audit log, in SQL."""

from collections.abc import Sequence

from mailvet.model.audit import AuditEvent, AuditFilter, AuditRow
from mailvet.store.sqlite_file import Connection

SWEEP_ROWS = 5_000
"""Dropped in one transaction: some milliseconds for everybody who waits to write."""

_COLUMNS = ", ".join(AuditEvent._fields)
_PLACES = ", ".join("?" * len(AuditEvent._fields))


def add(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Add events."""
    connection.executemany(
        f"INSERT INTO audit ({_COLUMNS}) VALUES ({_PLACES})",  # noqa: S608
        events,
    )


def listed(
    connection: Connection, where: AuditFilter, before: int | None, limit: int
) -> list[AuditRow]:
    """Return events, the newest first."""
    conditions = {
        "number < ?": before,
        "tenant = ?": where.tenant,
        "batch_id = ?": where.batch_id or None,
        "key_id = ?": where.key_id or None,
        "event_time >= ?": where.start_time,
        "event_time < ?": where.end_time,
    }
    asked = {text: value for text, value in conditions.items() if value is not None}
    rows = connection.execute(
        f"SELECT number, {_COLUMNS} FROM audit WHERE {' AND '.join(asked) or '1'}"  # noqa: S608
        " ORDER BY number DESC LIMIT ?",
        (*asked.values(), limit),
    )
    return [AuditRow(row[0], AuditEvent(*row[1:])) for row in rows]


def sweep(connection: Connection, before_time: float) -> int:
    """Drop old events; return how many."""
    dropped = connection.execute(
        "DELETE FROM audit WHERE number IN"
        " (SELECT number FROM audit WHERE event_time < ? ORDER BY event_time LIMIT ?)",
        (before_time, SWEEP_ROWS),
    )
    return int(dropped.rowcount)
