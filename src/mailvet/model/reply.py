"""What an exchanger said or failed to say, exactly as observed; no judgement here."""

from enum import StrEnum
from typing import NamedTuple

from mailvet.model.status import Meaning


class Stage(StrEnum):
    """The step of the SMTP dialogue an observation belongs to (RFC 5321 3)."""

    CONNECT = "CONNECT"
    BANNER = "BANNER"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    MAIL = "MAIL"
    RCPT = "RCPT"
    RSET = "RSET"
    QUIT = "QUIT"


class Trouble(StrEnum):
    """Why there was no reply to read."""

    REFUSED = "REFUSED"
    """The connection was refused or reset before a banner."""
    UNREACHABLE = "UNREACHABLE"
    """No way to the host from here: network or host unreachable, our own firewall."""
    TIMEOUT = "TIMEOUT"
    """Nothing, or not enough, within the deadline of the stage."""
    DROPPED = "DROPPED"
    """The peer closed or reset the connection in the middle of the dialogue."""
    GARBLED = "GARBLED"
    """What came is not SMTP: no code, too long, changing codes."""
    TLS = "TLS"
    """The TLS handshake failed."""
    NO_SMTPUTF8 = "NO_SMTPUTF8"
    """The recipient needs SMTPUTF8 and the host does not offer it; nothing was asked."""


class Reply(NamedTuple):
    """One complete SMTP reply (RFC 5321 4.2), all its lines joined by a newline."""

    code: int
    text: str
    enhanced: str | None = None
    """The enhanced status code (RFC 3463), such as `5.1.1`, when the reply carries one."""

    @property
    def positive(self) -> bool:
        """2xx: the command was carried out."""
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        """4xx: the same command may succeed later."""
        return 400 <= self.code < 500


class Observation(NamedTuple):
    """The last thing learnt about one recipient in one visit: a reply or a trouble, and where."""

    stage: Stage
    host: str
    """The exchanger's name."""
    address: str
    """The IP address that was dialled."""
    reply: Reply | None = None
    trouble: Trouble | None = None


class Reading(NamedTuple):
    """What a reply means, and the rule that says so."""

    meaning: Meaning
    rule: str
    about_sender: bool = False
    """With SENDER_OR_CLIENT_REJECTED: whether it is our sender address that is refused, rather
    than our IP address, name or reputation."""
