"""Hosts that count: who came before, how many recipients, how many connections."""

from collections import deque
from dataclasses import dataclass, field

from mailvet.testbed.dialogue import Answer, Recipient, Then, Visit, say
from mailvet.testbed.personalities.plain import Plain


@dataclass(kw_only=True)
class Greylists(Plain):
    """Defers what it sees for the first time; spammers do not come back, mail servers do.

    Remembers (client, sender, recipient) as RFC 6647 4 has it: another source address or another
    sender starts all over again.
    """

    delay_s: float = 300.0
    """Postgrey's default."""

    _first_seen: dict[tuple[str, str | None, str], float] = field(default_factory=dict, init=False)

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Defer until the same triplet comes back after the delay."""
        triplet = (visit.client, visit.sender, recipient.mailbox)
        known = triplet in self._first_seen
        waited_s = visit.now() - self._first_seen.setdefault(triplet, visit.now())
        if not known or waited_s < self.delay_s:
            left_s = max(1, round(self.delay_s - waited_s))
            return say(
                f"450 4.7.1 <{recipient.mailbox}>: Recipient address rejected: "
                f"Greylisted, please try again in {left_s} seconds"
            )
        return self.by_kind(visit, recipient)


@dataclass(kw_only=True)
class HangsUpOnSecond(Plain):
    """Takes a second recipient for a harvest: says 421 and is gone."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Answer one recipient per session."""
        if visit.recipient_count > 1:
            return say("421 4.7.0 Too many recipients, closing connection", Then.CLOSE)
        return self.by_kind(visit, recipient)


@dataclass(kw_only=True)
class OneRecipient(Plain):
    """Takes one recipient per message and wants each other one in a transaction of its own."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Refuse another recipient once one was accepted."""
        if visit.recipients:
            return say("452 4.5.3 Too many recipients")
        return self.by_kind(visit, recipient)


@dataclass(kw_only=True)
class OneDomain(Plain):
    """A filtering service that applies one customer's rules per transaction (as Google says)."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Refuse a recipient of another domain than the first one accepted."""
        if visit.recipients and visit.recipients[0].domain != recipient.domain:
            return say("451 4.3.0 Multiple destination domains per transaction is unsupported")
        return self.by_kind(visit, recipient)


@dataclass(kw_only=True)
class MaxRecipients(Plain):
    """Answers so many recipients per session, however many transactions they are spread over."""

    limit: int = 5

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Answer `limit` recipients, then only "too many"."""
        if visit.recipient_count > self.limit:
            return say("452 4.5.3 Error: too many recipients in this session")
        return self.by_kind(visit, recipient)


@dataclass(kw_only=True)
class RateLimits(Plain):
    """Takes so many connections in a stretch of time, and recovers when left in peace."""

    connections: int = 5
    window_s: float = 10.0

    _accepted: deque[float] = field(default_factory=deque, init=False)

    def greet(self, visit: Visit) -> Answer:
        """Turn the visitor away when the window is full; a refusal does not count."""
        while self._accepted and visit.now() - self._accepted[0] >= self.window_s:
            self._accepted.popleft()
        if len(self._accepted) >= self.connections:
            return say("421 4.7.0 Too many connections, try again later", Then.CLOSE)
        self._accepted.append(visit.now())
        return super().greet(visit)
