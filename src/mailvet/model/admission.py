"""How many calls are let in, unless an operator says otherwise."""

from typing import NamedTuple

REQUEST_RATE = 6.0
"""Management calls a second of one key: five workers that look at their batches once a second."""
REQUEST_BURST = 15
"""As many at once after a quiet time: a page of a dashboard."""
OPEN_STREAMS = 1_000
"""Open streams of a tenant: a stuck reader pins some 6 MiB of transport buffers each."""
OPEN_VERIFICATIONS = 1_000
"""Verification calls of a tenant under way: with a thousand entries each, a million cases."""
CONNECTION_CALLS = 128
"""Open calls of one connection: whatever a stranger begins has to be taken in before it can be
refused, so it bounds what each connection can do to others. Clients hold further calls back."""


class AdmissionLimits(NamedTuple):
    """How much is let in."""

    request_rate: float = REQUEST_RATE
    """Of one key, a second; 0 for any number."""
    request_burst: int = REQUEST_BURST
    streams: int = OPEN_STREAMS
    verifications: int = OPEN_VERIFICATIONS
    connection_calls: int = CONNECTION_CALLS
    """Of one connection, by HTTP/2 (RFC 9113 5.1.2)."""
