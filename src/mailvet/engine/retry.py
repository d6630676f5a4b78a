"""When an unanswered entry is tried again, by quality level; the store does the waiting."""

import random
from collections.abc import Sequence

from mailvet.model.status import QualityLevel

MINUTE_S, HOUR_S = 60.0, 3600.0

WAITS_S: dict[QualityLevel, Sequence[float]] = {
    QualityLevel.STANDARD: (),
    # Greylisting wants about 5 minutes as a rule (postgrey's default), some hosts 10 to 15.
    QualityLevel.HIGH: (MINUTE_S, 5 * MINUTE_S, 10 * MINUTE_S),
    # RFC 5321 4.5.4.1: at least 30 minutes between tries after the first ones; up to a day here.
    QualityLevel.EXTREME: (
        5 * MINUTE_S,
        15 * MINUTE_S,
        HOUR_S,
        3 * HOUR_S,
        8 * HOUR_S,
        11 * HOUR_S,
    ),
}
JITTER = 0.1
"""Spreads retries of one batch by a tenth, so that they do not all come back at once."""


class RetrySchedule:
    """Waits by quality level, scaled and spread."""

    def __init__(self, *, scale: float = 1.0, rng: random.Random | None = None) -> None:
        self._scale = scale
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret

    def wait_s(self, quality: QualityLevel, attempt: int) -> float | None:
        """Seconds to wait after attempt number `attempt` (from 0); None when it was the last."""
        waits = WAITS_S.get(quality, ())
        if attempt >= len(waits):
            return None
        return waits[attempt] * self._scale * (1 + self._rng.uniform(0, JITTER))
