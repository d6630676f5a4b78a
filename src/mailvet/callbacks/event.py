"""What is told of a batch that ended: no address and no result, only where to look."""

import json
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from mailvet.model.batch import Batch, Progress
from mailvet.model.callback import CallbackFormat
from mailvet.model.status import BatchState, Classification


def event_id(secret: bytes, batch: Batch) -> str:
    """Return the id of a batch's end: the same for every call about it to one URL."""
    callback = batch.spec.callback
    assert callback is not None
    told = f"{batch.key}\0{batch.end_time}\0{callback.url}\0{callback.format}"
    return "msg_" + blake2b(told.encode(), digest_size=16, key=secret, person=b"event").hexdigest()


def body_of(batch: Batch, progress: Progress) -> bytes:
    """Return the body of a call, the same for every call about one end."""
    callback = batch.spec.callback
    assert callback is not None
    verifalia = callback.format is CallbackFormat.VERIFALIA
    told = _verifalia(batch) if verifalia else _standard(batch, progress)
    return json.dumps(told, separators=(",", ":")).encode()


def _standard(batch: Batch, progress: Progress) -> dict[str, Any]:
    completed = batch.state is BatchState.COMPLETED
    counts = {
        Classification(number).name: count
        for number, count in sorted(progress.classifications.items())
        if number
    }
    return {
        "type": "batch.completed" if completed else "batch.cancelled",
        "timestamp": _time(batch),
        "data": {
            "batch_id": batch.batch_id,
            "name": batch.spec.name,
            "state": batch.state.name,
            "entry_count": progress.entry_count,
            "result_count": progress.result_count,
            "removed_count": progress.removed_count,
            "classifications": counts,
        },
    }


def _verifalia(batch: Batch) -> dict[str, Any]:
    return {
        "event": {
            "type": "email-validation.completed",
            "version": "1.1",
            "data": {"id": batch.batch_id, "name": batch.spec.name},
            "createdOn": _time(batch),
        }
    }


def _time(batch: Batch) -> str:
    moment = datetime.fromtimestamp(batch.end_time or 0.0, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
