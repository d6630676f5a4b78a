"""What the audit log hears of a call: exactly one event for each call of an audited method."""

import re
from collections.abc import Callable
from typing import Any

from mailvet.accounts.audit_log import AuditLog
from mailvet.model.audit import AuditEvent
from mailvet.rpc.call import Call
from mailvet.store.riding import RIDER, Rider

RIDING = frozenset({"AddEntries", "CreateBatch", "LaunchBatch"})
"""Methods that do what they do in one write, and often: their event rides with it. Those of others
are written once the call is done, before it is answered."""

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
"""What an id of ours can be; any other text a caller puts into its place is not repeated."""
_NO_ADDRESS = re.compile(r"[^@]*")


class Auditor:
    """Opens a record for each call that is to leave an event."""

    def __init__(self, log: AuditLog, wall_clock: Callable[[], float]) -> None:
        self._log = log
        self._wall_clock = wall_clock

    def record(self, call: Call[Any], peer: str, request_id: str) -> "Record":
        """Return the record of a call of an audited method."""
        return Record(self._log, call, self._wall_clock(), peer, _clean(request_id, _NO_ADDRESS))


class Record:
    """The record of one call, from its beginning to its one event."""

    def __init__(
        self, log: AuditLog, call: Call[Any], begun: float, peer: str, request_id: str
    ) -> None:
        self._log = log
        self._call = call
        self._begun = begun
        self._peer = peer
        self._request_id = request_id
        self._rider: Rider | None = None
        self._told = False

    def may_ride(self, request: Any) -> None:
        """Let the event ride with the call's first write, where it is known by now what it is."""
        method = self._call.method.name
        named = method != "CreateBatch" or bool(getattr(request, "batch_id", ""))
        if method in RIDING and named:
            self._rider = Rider(self._event("OK", ""))
            RIDER.set(self._rider)

    async def succeeded(self, reply: Any) -> None:
        """Have the event durable: nothing is left to do when it rode."""
        self._told = True
        if self._rider is not None and self._rider.written:
            return
        RIDER.set(None)  # it did not ride: now it is written by itself
        batch = getattr(reply, "batch", None)
        await self._log.done(self._event("OK", "", str(getattr(batch, "batch_id", ""))))

    def ended(self, code: str, reason: str) -> None:
        """Note how a call ended that did not succeed; after a success nothing."""
        if self._told:
            return
        self._told = True
        event = self._event(code, reason)
        if self._rider is not None:
            self._log.hung_up(self._rider, event)
        else:
            self._log.refused(event)

    def _event(self, code: str, reason: str, made_batch_id: str = "") -> AuditEvent:
        call = self._call
        return AuditEvent(
            event_time=self._begun,
            tenant=call.tenant,
            method=call.method.full_name,
            key_id=call.caller.key_id,
            credential=call.caller.credential,
            batch_id=_clean(call.batch_id or made_batch_id, _ID),
            subject_key_id=_clean(call.subject_key_id, _ID),
            code=code,
            reason=reason,
            peer=self._peer,
            request_id=self._request_id,
        )


def _clean(text: str, form: re.Pattern[str]) -> str:
    return text if form.fullmatch(text) else ""
