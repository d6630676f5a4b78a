"""What every SMTP session at the testbed looked like, byte by byte, for tests to inspect."""

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

DEFAULT_LIMIT = 10_000
"""Sessions kept, oldest forgotten first: a demo fits, a load test does not fill memory."""


class Ended(StrEnum):
    """How a session came to its end."""

    OPEN = "OPEN"
    """Still running."""
    QUIT = "QUIT"
    """The client said QUIT and was answered."""
    CLIENT_CLOSED = "CLIENT_CLOSED"
    CLIENT_RESET = "CLIENT_RESET"
    HOST_CLOSED = "HOST_CLOSED"
    HOST_RESET = "HOST_RESET"


class Exchange(NamedTuple):
    """One command as it came, line end included, and what was sent back; both exact bytes."""

    command: bytes
    """Empty for the banner."""
    reply: bytes


@dataclass(slots=True)
class SessionRecord:
    """One session. `exchanges` and `faults` stay empty when recording is off."""

    host: str
    address: str
    """The address that was dialled."""
    client: str
    exchanges: list[Exchange] = field(default_factory=list)
    ended: Ended = Ended.OPEN
    tls: bool = False
    faults: list[str] = field(default_factory=list)
    """What the client did that no client should: bare LF, NUL, pipelining without an offer, ..."""

    @property
    def said_quit(self) -> bool:
        """Whether the client took its leave."""
        return any(exchange.command.strip().upper() == b"QUIT" for exchange in self.exchanges)

    @property
    def commands(self) -> list[bytes]:
        """The command lines without their line ends."""
        return [exchange.command.rstrip(b"\r\n") for exchange in self.exchanges if exchange.command]


class SessionLog:
    """Sessions in the order they began, and counts per host that are never forgotten."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        """Keep the last `limit` sessions; 0 keeps none and records no bytes (for load)."""
        self.recording = limit > 0
        self._kept: deque[SessionRecord] = deque(maxlen=limit)
        self.count: Counter[str] = Counter()
        """Sessions begun, by host name."""
        self.open: Counter[str] = Counter()
        """Sessions running now, by host name."""
        self.peak: Counter[str] = Counter()
        """The most sessions that ever ran at once, by host name."""
        self.recipients: Counter[str] = Counter()
        """RCPT commands, by host name."""

    @property
    def all(self) -> list[SessionRecord]:
        """Every session kept, oldest first."""
        return list(self._kept)

    def of(self, host: str) -> list[SessionRecord]:
        """The kept sessions at one host, oldest first."""
        return [record for record in self._kept if record.host == host]

    def begin(self, host: str, address: str, client: str) -> SessionRecord:
        """Note a new connection."""
        record = SessionRecord(host, address, client)
        self._kept.append(record)
        self.count[host] += 1
        self.open[host] += 1
        self.peak[host] = max(self.peak[host], self.open[host])
        return record

    def end(self, record: SessionRecord) -> None:
        """Note that a connection is gone."""
        self.open[record.host] -= 1

    def clear(self) -> None:
        """Forget everything but the sessions that are running."""
        self._kept.clear()
        self.count.clear()
        self.recipients.clear()
        self.peak = Counter(self.open)
