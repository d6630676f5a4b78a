"""What is told of a batch that ended."""

import json

from mailvet.callbacks.event import body_of, event_id
from mailvet.model.batch import Batch, BatchSpec, Progress
from mailvet.model.callback import Callback, CallbackFormat
from mailvet.model.status import BatchState

SECRET = bytes(32)


def ended(
    form: CallbackFormat = CallbackFormat.STANDARD,
    state: BatchState = BatchState.COMPLETED,
    url: str = "https://a.example/",
    end_time: float = 1_676_364_977.338,
) -> Batch:
    """A batch that ended."""
    return Batch(
        key=7,
        tenant="acme",
        batch_id="spring",
        spec=BatchSpec(name="leads-crm-export", callback=Callback(url, (), form)),
        state=state,
        entry_count=5,
        create_time=0.0,
        end_time=end_time,
    )


PROGRESS = Progress(
    entry_count=5, result_count=4, removed_count=1, classifications={0: 1, 3: 1, 1: 2}
)


def test_the_standard_event_has_counts_and_no_address() -> None:
    """Type, time and data, as Standard Webhooks recommends."""
    assert {
        "type": "batch.completed",
        "timestamp": "2023-02-14T08:56:17.338Z",
        "data": {
            "batch_id": "spring",
            "name": "leads-crm-export",
            "state": "COMPLETED",
            "entry_count": 5,
            "result_count": 4,
            "removed_count": 1,
            "classifications": {"DELIVERABLE": 2, "UNDELIVERABLE": 1},
        },
    } == json.loads(body_of(ended(), PROGRESS))
    cancelled = json.loads(body_of(ended(state=BatchState.CANCELLED), PROGRESS))
    assert ("batch.cancelled", "CANCELLED") == (cancelled["type"], cancelled["data"]["state"])


def test_the_event_of_verifalia_has_the_fields_of_its_sample() -> None:
    """Version 1.1, whose sample has these fields and no others."""
    assert {
        "event": {
            "type": "email-validation.completed",
            "version": "1.1",
            "data": {"id": "spring", "name": "leads-crm-export"},
            "createdOn": "2023-02-14T08:56:17.338Z",
        }
    } == json.loads(body_of(ended(CallbackFormat.VERIFALIA), PROGRESS))


def test_an_end_has_one_id_for_each_url() -> None:
    """The same for every call; another URL is another delivery."""
    first = event_id(SECRET, ended())
    others = (ended(url="https://b.example/"), ended(end_time=1.0))
    assert first == event_id(SECRET, ended())
    assert first not in [event_id(SECRET, one) for one in others]
    assert first != event_id(bytes([1]) * 32, ended())
