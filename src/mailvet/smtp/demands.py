"""What a refusal asks of the dialogue itself: encrypt first, or ask for less at once.

This is about how to go on asking; what a reply means for a mailbox is judged elsewhere.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mailvet.model.reply import Reply
from mailvet.smtp.reply_text import without_names

_REMEMBERED = 2048
"""Refusals remembered, mailboxes aside: about half a MiB."""

_TLS_ENHANCED = ("5.7.10", "4.7.10")
"""Encryption needed (RFC 5248 registry, X.7.10)."""
_TLS_WORDS = re.compile(
    r"starttls|\b(?:tls|ssl|encrypt\w*)\b[^\n]{0,40}\b(?:required|needed|necessary|mandatory|only)\b"
    r"|\b(?:require|need|must (?:use|issue|have)|use)s?\b[^\n]{0,20}\b(?:tls|ssl|encrypt\w*)\b"
)
_TLS_ROOTS = ("tls", "ssl", "encrypt")
_SEVERAL_WORDS = re.compile(
    r"too many (?:\w+ ){0,3}(?:recipients?|rcpts?|addresses|users|errors|mailboxes)"
    r"|(?<![.\d])(?:one|single|1) (?:recipient|rcpt|address|user)\b"  # not the end of "5.1.1 User"
    r"|(?:multiple|several|more than \w+|further|additional|maximum(?: number of)?|max"
    r"|number of|limit of) (?:recipient|rcpt)"
    r"|recipients? (?:limit|count|per |exceed)"
)
_DOMAIN_WORDS = re.compile(
    r"(?:multiple|different|several|more than one|one|single)\b[^\n]{0,24}\bdomains?\b"
)
_FULL_WORDS = re.compile(r"quota|full|storage|space|mailbox size|inbox|disk")


class Demands(NamedTuple):
    """What a refusal asks for, beside what it says of whoever it is about."""

    tls: bool
    """STARTTLS first, wherever it is offered."""
    tls_anyway: bool
    """It names STARTTLS itself, whatever was offered."""
    no_other: bool
    """It is about asking for several recipients, not about this one."""
    one_domain: bool
    """Recipients of one domain at a time."""

    def insists_on_tls(self, *, offered: bool) -> bool:
        """Whether it is of use to begin TLS and ask again."""
        return self.tls if offered else self.tls_anyway


_NOTHING = Demands(tls=False, tls_anyway=False, no_other=False, one_domain=False)


def demands_of(reply: Reply) -> Demands:
    """Return what a refusal asks for, nothing for another reply; the mailbox it names says nothing.

    *TLS*: RFC 3207 4 has 530 5.7.0 "Must issue a STARTTLS"; 530 and 5.7.0 also ask for a password,
    but where STARTTLS is offered it is worth one try.

    *No other recipient*, which counts only in a session where another one was answered before: 452
    is what RFC 5321 4.5.3.1.10 has for too many recipients (552 in RFC 821), x.5.3 the enhanced
    code; 421 hangs up; 503 has it that only DATA may follow. Other refusals count only with the
    words for it: a full, busy or greylisted mailbox beside others stays its own.

    *One domain* at a time: Google's 451 4.3.0, filtering services.
    """
    if reply.code < 400:
        return _NOTHING
    return _demands(reply.code, reply.enhanced, without_names(reply.text))


@lru_cache(_REMEMBERED)
def _demands(code: int, enhanced: str | None, text: str) -> Demands:
    """Hosts say the same of every mailbox but its name."""
    text = text.lower()
    # Few speak of TLS, and the expression is slow to find nothing.
    speaks_of_tls = any(word in text for word in _TLS_ROOTS) and _TLS_WORDS.search(text)
    needs_tls = bool(speaks_of_tls) or enhanced in _TLS_ENHANCED
    return Demands(
        tls=needs_tls or code == 530 or enhanced == "5.7.0",
        tls_anyway=needs_tls and "starttls" in text,
        no_other=_refuses_another(code, enhanced, text),
        one_domain=bool(_DOMAIN_WORDS.search(text)) and ("transaction" in text or "per" in text),
    )


def _refuses_another(code: int, enhanced: str | None, text: str) -> bool:
    if code in (421, 503) or (enhanced is not None and enhanced[1:] == ".5.3"):
        return True
    if _SEVERAL_WORDS.search(text):
        return True
    return code == 452 and enhanced is None and not _FULL_WORDS.search(text)


def is_shutting_down(reply: Reply) -> bool:
    """Whether a 421 speaks of the host's own end or of time, not of how much we ask (RFC 3463)."""
    return reply.enhanced in ("4.3.2", "4.4.2")
