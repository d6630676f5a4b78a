"""A batch's callback and the calls that were made, as the JSON texts they are kept as."""

import json

from mailvet.model.callback import NO_CALLS, Callback, CallbackCalls, CallbackFormat


def callback_text(callback: Callback | None) -> str:
    """Return what is kept of a callback; empty for none."""
    return "" if callback is None else json.dumps(callback)


def callback_from(text: str) -> Callback | None:
    """Return the callback that a text keeps."""
    if not text:
        return None
    url, secrets, form = json.loads(text)
    return Callback(url, tuple(secrets), CallbackFormat(form))


def calls_text(calls: CallbackCalls) -> str:
    """Return what is kept of the calls, beside the time of the next; empty for none."""
    return "" if not calls.attempts else json.dumps(calls[:4])


def calls_from(text: str, next_time: float | None) -> CallbackCalls:
    """Return the calls that a text keeps."""
    if not text:
        return NO_CALLS._replace(next_time=next_time)
    attempts, last_time, outcome, delivered = json.loads(text)
    return CallbackCalls(attempts, last_time, outcome, delivered, next_time)
