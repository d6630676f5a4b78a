"""ListAuditEvents: what a tenant's callers changed, or were refused to."""

from mailvet.accounts.audit_log import AuditLog
from mailvet.batches.cursor import Kind, Marks, Place, binding_of
from mailvet.errors import Violations
from mailvet.model.audit import AuditEvent, AuditFilter
from mailvet.rpc import rules
from mailvet.rpc.api_keys import decoded_time
from mailvet.rpc.call import Call
from mailvet.rpc.encode import timestamp
from mailvet.v1 import audit_pb2 as pb


class AuditMethods:
    """The part of AccountService that answers for the audit log."""

    def __init__(self, log: AuditLog, marks: Marks) -> None:
        self._audit = log
        self._audit_marks = marks

    async def list_audit_events(
        self, request: pb.ListAuditEventsRequest, call: Call[pb.ListAuditEventsRequest]
    ) -> pb.ListAuditEventsResponse:
        """Return a page of events."""
        wrong = Violations()
        size = rules.page_size(request.page_size, wrong)
        where = _filter(request, call.tenant, wrong)
        wrong.raise_if_any()
        binding = binding_of(*map(str, where))
        before = None
        if request.page_token:
            before = self._audit_marks.read(request.page_token, Kind.AUDIT_PAGE, 0, binding)
        rows = await self._audit.list(where, before=before, limit=size + 1)
        token = ""
        if len(rows) > size:
            place = Place(Kind.AUDIT_PAGE, 0, rows[size - 1].number, binding)
            token = self._audit_marks.write(place)
        return pb.ListAuditEventsResponse(
            events=[_encoded(row.event) for row in rows[:size]], next_page_token=token
        )


def _filter(request: pb.ListAuditEventsRequest, tenant: str, wrong: Violations) -> AuditFilter:
    start_time = end_time = None
    if request.HasField("start_time"):
        start_time = decoded_time(request.start_time, "start_time", wrong)
    if request.HasField("end_time"):
        end_time = decoded_time(request.end_time, "end_time", wrong)
    return AuditFilter(tenant, request.batch_id, request.key_id, start_time, end_time)


def _encoded(event: AuditEvent) -> pb.AuditEvent:
    return pb.AuditEvent(
        event_time=timestamp(event.event_time),
        method=event.method,
        key_id=event.key_id,
        credential=event.credential,
        batch_id=event.batch_id,
        subject_key_id=event.subject_key_id,
        code=event.code,
        reason=event.reason,
        peer=event.peer,
        request_id=event.request_id,
        call_count=event.call_count,
    )
