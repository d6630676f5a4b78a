"""What the audit log keeps: who changed what, or was refused to."""

from typing import NamedTuple


class AuditEvent(NamedTuple):
    """One call that changed something, or was refused to; it never has an address.

    `event_time` is seconds since the epoch. Texts are empty where there is nothing to say.
    """

    event_time: float
    tenant: str
    method: str
    key_id: str = ""
    credential: str = ""
    batch_id: str = ""
    subject_key_id: str = ""
    code: str = ""
    reason: str = ""
    peer: str = ""
    request_id: str = ""
    call_count: int = 1


class AuditFilter(NamedTuple):
    """Which events are wanted; empty and None are all. Times are seconds since the epoch."""

    tenant: str | None = None
    batch_id: str = ""
    key_id: str = ""
    start_time: float | None = None
    end_time: float | None = None


class AuditRow(NamedTuple):
    """An event in the log; a later one has a larger number."""

    number: int
    event: AuditEvent
