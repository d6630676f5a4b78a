"""Which calls are let in: management calls by rate, streams and verifications by how many are open.

A management call (create, list, steer) takes milliseconds, so its rate is what it can harm with.
A verification waits for the network most of its time and is bounded by what it costs and by the
pace of exchangers; a stream lasts as long as it likes. Of those the open ones are counted.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum

from mailvet.accounts.rate import Rate
from mailvet.errors import QuotaExceeded
from mailvet.model.admission import AdmissionLimits

RETRY_S = 5.0
"""When to come back to what is counted: streams and verifications last about so long."""


class Kind(Enum):
    """What a call is counted as; a stream that verifies is a stream."""

    MANAGEMENT = "requests_per_second"
    STREAM = "open_streams"
    VERIFICATION = "open_verifications"
    UNCOUNTED = ""


class Admission:
    """The calls of every tenant that are under way; `clock` is monotonic seconds."""

    def __init__(self, limits: AdmissionLimits, *, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._rate = Rate(limits.request_rate, limits.request_burst, clock=clock)
        self._open: Counter[tuple[Kind, str]] = Counter()
        self._most = {Kind.STREAM: limits.streams, Kind.VERIFICATION: limits.verifications}

    def admitted(self, kind: Kind, tenant: str, rated_as: str) -> AbstractContextManager[None]:
        """Let a call in for as long as it lasts, or raise `QuotaExceeded`.

        `rated_as` is what its rate is counted under. Callers without one cannot be told apart, so
        no rate holds them: they are let in at all only where an operator trusts everybody.
        """
        if kind is Kind.STREAM or kind is Kind.VERIFICATION:
            return _Counted(self._open, (kind, tenant), self._most[kind])
        if kind is Kind.MANAGEMENT and rated_as:
            self._require_rate(rated_as)
        return nullcontext()

    def _require_rate(self, rated_as: str) -> None:
        wait_s = self._rate.take(rated_as)
        if wait_s:
            raise QuotaExceeded(
                f"this key may make {self.limits.request_rate:g} management calls a second, and"
                f" {self.limits.request_burst} at once; come back in {wait_s + 0.005:.2f} s",
                subject=Kind.MANAGEMENT.value,
                retry_after_s=wait_s,
            )

    def open(self, kind: Kind, tenant: str) -> int:
        """Return how many calls of a tenant are under way."""
        return self._open[kind, tenant]

    def burst_used(self, rated_as: str) -> int:
        """Return how many calls of its burst a key has used up now."""
        return self._rate.used(rated_as)


class _Counted:
    """A call of what is counted, while it lasts; no generator, which would cost three times as
    much."""

    __slots__ = ("_most", "_of", "_open")

    def __init__(
        self, open_calls: Counter[tuple[Kind, str]], of: tuple[Kind, str], most: int
    ) -> None:
        self._open = open_calls
        self._of = of
        self._most = most

    def __enter__(self) -> None:
        count = self._open[self._of]
        if count >= self._most:
            subject = self._of[0].value
            what = subject.removeprefix("open_")
            raise QuotaExceeded(
                f"{self._most} {what} are open; end one, or come back later",
                subject=subject,
                retry_after_s=RETRY_S,
            )
        self._open[self._of] = count + 1

    def __exit__(self, *_error: object) -> None:
        self._open[self._of] -= 1
        if not self._open[self._of]:
            del self._open[self._of]
