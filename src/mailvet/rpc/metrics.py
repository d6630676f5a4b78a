"""Counts of calls, in the shape of gRFC A66: by method and code, with the time they took."""

from collections import Counter
from typing import NamedTuple, Protocol


class RpcMetrics(Protocol):
    """Whoever wants to count calls."""

    def started(self, method: str) -> None:
        """A call came in."""
        ...

    def ended(self, method: str, code: str, seconds: float) -> None:
        """A call ended, with the name of its status code."""
        ...


class CallCount(NamedTuple):
    """What is counted of the calls of one method that ended with one code."""

    method: str
    code: str
    calls: int
    seconds: float


class RpcCounters:
    """Counts in memory, for tests and for whoever exports them."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()

    def started(self, method: str) -> None:
        """A call came in."""
        self._open[method] += 1

    def ended(self, method: str, code: str, seconds: float) -> None:
        """A call ended, with the name of its status code."""
        self._open[method] -= 1
        self._calls[method, code] += 1
        self._seconds[method, code] += seconds  # type: ignore[assignment]  # Counter adds floats

    def open_calls(self, method: str) -> int:
        """How many calls of a method are under way."""
        return self._open[method]

    def counts(self) -> list[CallCount]:
        """What was counted so far."""
        return [
            CallCount(method, code, calls, self._seconds[method, code])
            for (method, code), calls in sorted(self._calls.items())
        ]
