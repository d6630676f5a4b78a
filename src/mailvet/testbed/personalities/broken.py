"""Hosts that break off, drag on, or do not speak SMTP at all."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mailvet.testbed.dialogue import Answer, Kind, Recipient, Step, Then, Visit
from mailvet.testbed.personalities.plain import Plain


@dataclass(kw_only=True)
class Misbehaves(Plain):
    """Is honest, but spoils its answer at one step of the dialogue."""

    at: Step = Step.RCPT

    def greet(self, visit: Visit) -> Answer:
        """Spoil the banner when that is the step."""
        return self._at(Step.BANNER, super().greet(visit))

    def hello(self, visit: Visit, offered: tuple[str, ...] | None) -> Answer:
        """Spoil the welcome when that is the step."""
        return self._at(Step.EHLO, super().hello(visit, offered))

    def mail(self, visit: Visit) -> Answer:
        """Spoil the answer to MAIL when that is the step."""
        return self._at(Step.MAIL, super().mail(visit))

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Spoil the answer to RCPT when that is the step."""
        return self._at(Step.RCPT, super().rcpt(visit, recipient))

    def spoil(self, answer: Answer) -> Answer:
        """What becomes of an honest answer."""
        return answer

    def _at(self, step: Step, answer: Answer) -> Answer:
        return self.spoil(answer) if step is self.at else answer


@dataclass(kw_only=True)
class Drops(Misbehaves):
    """Breaks the connection instead of answering: a firewall, a crash, a quiet refusal."""

    reset: bool = False
    """With RST instead of FIN."""
    answers: bool = False
    """Whether it answers first, and then breaks off."""

    def spoil(self, answer: Answer) -> Answer:
        """End the connection."""
        then = Then.RESET if self.reset else Then.CLOSE
        return answer._replace(chunks=answer.chunks if self.answers else (), then=then)


@dataclass(kw_only=True)
class Tarpit(Misbehaves):
    """Wastes a visitor's time: waits, then lets its answer drip byte by byte."""

    delay_s: float = 0.0
    interval_s: float = 1.0
    """Between two bytes; 0 sends the whole answer after the delay."""
    strangers_only: bool = False
    """Whether known mailboxes are answered at once, and only guesses are punished."""

    def rcpt(self, visit: Visit, recipient: Recipient) -> Answer:
        """Spare known mailboxes when only strangers are punished."""
        if self.strangers_only and recipient.kind is not Kind.UNKNOWN:
            return self.by_kind(visit, recipient)
        return super().rcpt(visit, recipient)

    def spoil(self, answer: Answer) -> Answer:
        """Slow the answer down."""
        whole = b"".join(answer.chunks)
        if not self.interval_s:
            return answer._replace(delay_s=self.delay_s)
        drops = tuple(whole[at : at + 1] for at in range(len(whole)))
        return answer._replace(chunks=drops, delay_s=self.delay_s, interval_s=self.interval_s)


@dataclass(kw_only=True)
class SlowBanner(Tarpit):
    """Greets late, to see who cannot wait (RFC 5321 4.5.3.2.1 grants it five minutes)."""

    at: Step = Step.BANNER
    delay_s: float = 1.0
    interval_s: float = 0.0


@dataclass(kw_only=True)
class Silent(Misbehaves):
    """Takes the connection and says nothing: a dead process behind a live load balancer."""

    at: Step = Step.BANNER

    def spoil(self, answer: Answer) -> Answer:
        """Say nothing, now and later."""
        return answer._replace(chunks=(), then=Then.IGNORE)


class Garble(StrEnum):
    """What comes in place of a reply."""

    NO_CODE = "NO_CODE"
    ENDLESS = "ENDLESS"
    """A reply of many lines that never has a last one."""
    LONG_LINE = "LONG_LINE"
    """One line of more than 64 KiB."""
    BINARY = "BINARY"
    CODES_DIFFER = "CODES_DIFFER"
    """Lines of one reply with different codes (RFC 5321 4.2.1 forbids it)."""
    NO_LINE_END = "NO_LINE_END"


@dataclass(kw_only=True)
class Garbled(Misbehaves):
    """Does not speak SMTP: another protocol on the port, a broken proxy, or malice."""

    form: Garble = Garble.NO_CODE

    def spoil(self, answer: Answer) -> Answer:
        """Put rubbish in place of the answer."""
        if self.form is Garble.ENDLESS:
            return answer._replace(chunks=_endless(), interval_s=ENDLESS_PAUSE_S)
        return answer._replace(chunks=(_RUBBISH[self.form],))


ENDLESS_PAUSE_S = 0.001
"""Between blocks of an endless reply: as fast as a client can bear, without starving others."""

ENDLESS_BLOCKS = 4096
"""Where "endless" ends (64 MiB): a client that reads on for ever must not fill its disk."""


def _endless() -> Iterable[bytes]:
    return itertools.repeat(b"250-and so on\r\n" * 1000, ENDLESS_BLOCKS)


_RUBBISH = {
    Garble.NO_CODE: b"what do you want?\r\n",
    Garble.LONG_LINE: b"250 " + b"x" * (70 * 1024) + b"\r\n",
    Garble.BINARY: b"\x16\x03\x01\x00\xff\xfe\x00\x80\r\n",
    Garble.CODES_DIFFER: b"250-one thing\r\n550 and its contrary\r\n",
    Garble.NO_LINE_END: b"250 Ok",
}
