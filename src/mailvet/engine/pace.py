"""How much one route is asked at once: fewer on complaint, slowly more on success."""

from collections.abc import Callable
from dataclasses import dataclass

COOL_OFF_S = 2.0
"""First pause after a complaint; doubles with each one in a row."""
MAX_COOL_OFF_S = 300.0
"""Longer waits belong to durable retries, not to memory."""


FORGIVE_AFTER = 20
"""Good sessions in a row after which one recipient more is tried: hosts change their limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceLimits:
    """Where every route starts, and what it never exceeds."""

    sessions: int = 2
    recipients: int = 20
    cool_off_s: float = COOL_OFF_S


class Pace:
    """The adaptive limits of one route (additive increase, multiplicative decrease)."""

    __slots__ = (
        "_clock",
        "_good",
        "_limits",
        "cool_until",
        "one_domain",
        "recipients",
        "sessions",
        "strikes",
    )

    def __init__(self, limits: PaceLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self.sessions = float(limits.sessions)
        self.recipients = limits.recipients
        self.one_domain = False
        """The exchanger takes recipients of one domain a transaction only."""
        self.strikes = 0
        self.cool_until = 0.0
        self._good = 0

    def succeeded(self) -> None:
        """Note a session without complaint."""
        self.strikes = 0
        self.sessions = min(self._limits.sessions, self.sessions + 1 / max(self.sessions, 1))
        self._good += 1
        if self._good >= FORGIVE_AFTER and self.recipients < self._limits.recipients:
            self._good = 0
            self.recipients += 1

    def complained(self) -> None:
        """Note that the exchanger asks for less: 421, a rate limit, a refusal to greet."""
        self.strikes += 1
        self.sessions = max(1.0, self.sessions / 2)
        pause = min(self._limits.cool_off_s * 2 ** (self.strikes - 1), MAX_COOL_OFF_S)
        self.cool_until = self._clock() + pause

    def took(self, recipients: int) -> None:
        """Note that the exchanger answered only this many recipients in one session."""
        self.recipients = max(1, min(self.recipients, recipients))
        self._good = 0

    @property
    def has_limit(self) -> bool:
        """Whether the exchanger was found to take fewer recipients than we ask for by ourselves."""
        return self.recipients < self._limits.recipients
