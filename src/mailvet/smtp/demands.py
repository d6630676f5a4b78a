"""What a refusal asks of the dialogue itself: encrypt first, or ask for less at once.

This is about how to go on asking; what a reply means for a mailbox is judged elsewhere.
"""

import re

from mailvet.model.reply import Reply

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


def insists_on_tls(reply: Reply, *, offered: bool) -> bool:
    """Whether a refusal asks for STARTTLS first (RFC 3207 4: 530 5.7.0 "Must issue a STARTTLS").

    530 and 5.7.0 also ask for a password; where STARTTLS is `offered` it is worth one try.
    """
    if reply.code < 400:
        return False
    if offered and (reply.code == 530 or reply.enhanced == "5.7.0"):
        return True
    text = reply.text.lower()
    # Every refusal passes here, and few speak of TLS: the expression is slow to find nothing.
    says_so = any(word in text for word in _TLS_ROOTS) and _TLS_WORDS.search(text)
    if says_so or reply.enhanced in _TLS_ENHANCED:
        return offered or "starttls" in text
    return False


def refuses_another(reply: Reply) -> bool:
    """Whether a refusal of a later recipient is about asking for several, not about that one.

    Only for a recipient in whose session another one was answered before. 452 is what RFC 5321
    4.5.3.1.10 has for too many recipients (552 in RFC 821), x.5.3 the enhanced code; 421 hangs up;
    503 has it that only DATA may follow. Other refusals count only with the words for it: a full,
    busy or greylisted mailbox beside others stays its own.
    """
    code, enhanced = reply.code, reply.enhanced
    if code < 400:
        return False
    if code in (421, 503) or (enhanced is not None and enhanced[1:] == ".5.3"):
        return True
    text = reply.text.lower()
    if _SEVERAL_WORDS.search(text):
        return True
    return code == 452 and enhanced is None and not _FULL_WORDS.search(text)


def refuses_domain(reply: Reply) -> bool:
    """Whether a refusal asks for one domain at a time (Google's 451 4.3.0, filtering services)."""
    if reply.code < 400:
        return False
    text = reply.text.lower()
    return _DOMAIN_WORDS.search(text) is not None and ("transaction" in text or "per" in text)


def is_shutting_down(reply: Reply) -> bool:
    """Whether a 421 speaks of the host's own end or of time, not of how much we ask (RFC 3463)."""
    return reply.enhanced in ("4.3.2", "4.4.2")
