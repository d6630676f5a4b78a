"""What a line of a reply is, and the code its text may begin with (RFC 5321 4.2, RFC 2034 4)."""

from functools import lru_cache

MAX_REPLY_BYTES = 32 * 1024
"""Several times the largest EHLO; aiosmtplib has the same limit, and never gets more from us."""
_AFTER_CODE = (b" ", b"-", b"\r", b"\n")


def enhanced_of(text: str) -> str | None:
    """Return the enhanced status code a reply's text begins with (RFC 2034 4), if any."""
    if text[1:2] != "." or text[0] not in "245":
        return None
    return _enhanced(text.split(None, 1)[0])


@lru_cache(256)
def _enhanced(word: str) -> str | None:
    parts = word.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 3 for part in parts[1:]):
        return None
    return word if word.isascii() else None


def is_reply_line(line: bytes | bytearray) -> bool:
    """Whether a line, its end included, is of a reply."""
    # RFC 5321 4.2: Reply-code = %x32-35 %x30-35 %x30-39; the second digit is not always kept to.
    return line[:3].isdigit() and b"2" <= line[:1] <= b"5" and line[3:4] in _AFTER_CODE
