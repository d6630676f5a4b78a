"""Where a caller is told that a batch ended, and how the telling stands."""

from enum import IntEnum
from typing import NamedTuple


class CallbackFormat(IntEnum):
    """What the body of a call is like; numbers are those of `proto/mailvet/v1/callback.proto`."""

    STANDARD = 1
    VERIFALIA = 2


class Callback(NamedTuple):
    """What a caller has asked for."""

    url: str
    secrets: tuple[str, ...]
    """Each `whsec_` and base64, as Standard Webhooks has it; a call is signed with all of them."""
    format: CallbackFormat = CallbackFormat.STANDARD


class CallbackCalls(NamedTuple):
    """The calls that were made so far; times are seconds since the epoch."""

    attempts: int = 0
    last_time: float | None = None
    outcome: str = ""
    """What came of the last one, in a few words."""
    delivered: bool = False
    next_time: float | None = None
    """None before the end of the batch, and once it is over: delivered or given up."""


NO_CALLS = CallbackCalls()
