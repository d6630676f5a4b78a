"""Bytes in, replies out: framing as strict as that of `framing`, for several replies at once.

What is odd (several lines, other letters, great length) is read by the same code as there; what
is plain, one short line of ASCII that every mail host says over and over, is remembered.
"""

from aiosmtplib.response import SMTPResponse

from mailvet.model.named import new
from mailvet.model.reply import Reply
from mailvet.smtp.framing import read_reply
from mailvet.smtp.reply_line import MAX_REPLY_BYTES, enhanced_of, is_reply_line

MAX_LINE_BYTES = 8192
"""Of one line, as in aiosmtplib; sixteen times what RFC 5321 4.5.3.1.5 allows."""
_PLAIN_LINE_BYTES = 160
_REMEMBERED = 2048
"""Plain lines remembered, about half a MiB: hosts have few words, and most have the same."""
_GREETING_BYTES = 512
"""Replies of several lines up to this length are remembered: mostly what a host offers."""


class ReplyStream:
    """`push` what came and say how many replies are due; `take` them, or `pull` one.

    `garbled` tells that what came is not SMTP; nothing is pulled from then on. A reply nobody
    asked for is not pulled by whoever knows how many are due, and is seen as `surplus`.
    """

    __slots__ = ("_begin", "_held", "_line_at", "garbled")

    def __init__(self) -> None:
        self._held = b""
        self._begin = 0
        self._line_at = 0
        self.garbled = False

    @property
    def surplus(self) -> bytes:
        """What was pushed and not pulled."""
        return self._held[self._begin :]

    def push(self, data: bytes, due: int) -> None:
        """Take what came; more than `due` of the largest replies is garbage."""
        if self._begin < len(self._held):
            self._held = self._held[self._begin :] + data
            self._line_at -= self._begin
        else:
            self._held = data
            self._line_at = 0
        self._begin = 0
        if len(self._held) > MAX_REPLY_BYTES * max(due, 1):
            self._drop()

    def take(self, due: int) -> list[Reply]:
        """Return the next replies, `due` of them at most, as far as they are there."""
        replies: list[Reply] = []
        held = self._held
        while len(replies) < due:
            end = held.find(b"\n", self._line_at) + 1
            reply = _lines.get(held[self._begin : end]) if end else None
            if reply is not None:
                self._begin = self._line_at = end
            else:
                reply = self.pull()
                if reply is None:
                    break
            replies.append(reply)
        return replies

    def pull(self) -> Reply | None:
        """Return the next reply, once all of it is there."""
        held = self._held
        if held[self._begin + 3 : self._begin + 4] == b"-" and self._line_at == self._begin:
            known = _greetings.get(held[self._begin :])
            if known is not None:
                self._begin = self._line_at = len(held)
                return known
        while (end := held.find(b"\n", self._line_at) + 1) > 0:
            line = held[self._line_at : end]
            going_on = line[3:4] == b"-"
            if not going_on and self._line_at == self._begin:
                self._begin = self._line_at = end
                reply = _only_line(line)
                if reply is None:
                    self._drop()
                return reply
            if not self._continues(line):
                self._drop()
                return None
            self._line_at = end
            if not going_on:
                whole = held[self._begin : end]
                self._begin = end
                return _greeting(whole) if len(whole) <= _GREETING_BYTES else _joined(whole)
        if len(held) - self._begin > MAX_REPLY_BYTES:
            self._drop()
        return None

    def _continues(self, line: bytes) -> bool:
        code = self._held[self._begin : self._begin + 3]
        fits = self._line_at + len(line) - self._begin <= MAX_REPLY_BYTES
        return fits and _is_line(line) and line[:3] == code

    def _drop(self) -> None:
        self.garbled = True
        self._held = b""
        self._begin = self._line_at = 0


def farewell_of(surplus: bytes) -> Reply | None:
    """Return the host's farewell, if that is what came unasked (RFC 5321 3.8: 421)."""
    if not surplus.startswith(b"421"):
        return None
    text = surplus[4:].split(b"\n", 1)[0].decode("utf-8", "backslashreplace").strip()
    return Reply(421, text, enhanced_of(text))


def _only_line(line: bytes) -> Reply | None:
    if len(line) > _PLAIN_LINE_BYTES or not line.isascii():
        return _odd(line)
    if b"@" not in line:
        return _lines.get(line) or _remembered(line)
    # It names a mailbox, and will not come again.
    if not is_reply_line(line):
        return None
    text = line[4:].strip(b" \t\r\n").decode("ascii")
    return new(Reply, (int(line[:3]), text, enhanced_of(text)))


def _odd(line: bytes) -> Reply | None:
    return _joined(line) if _is_line(line) else None


_lines: dict[bytes, Reply] = {}
"""Whole replies of one plain line."""


def _remembered(line: bytes) -> Reply | None:
    reply = _odd(line)
    if reply is not None:
        if len(_lines) >= _REMEMBERED:
            _lines.clear()
        _lines[line] = reply
    return reply


def _is_line(line: bytes) -> bool:
    return len(line) <= MAX_LINE_BYTES and is_reply_line(line)


def _joined(whole: bytes) -> Reply:
    """A reply from its lines; as aiosmtplib, without empty lines before the first word."""
    text = b"\n".join(line[4:].strip(b" \t\r\n") for line in whole.split(b"\n")[:-1])
    said = text.lstrip(b"\n").decode("utf-8", "surrogateescape")
    return read_reply(SMTPResponse(int(whole[:3]), said))


_greetings: dict[bytes, Reply] = {}
"""Whole replies of several lines that were read line by line before."""


def _greeting(whole: bytes) -> Reply:
    reply = _greetings.get(whole)
    if reply is None:
        if len(_greetings) >= _REMEMBERED // 4:
            _greetings.clear()
        reply = _greetings[whole] = _joined(whole)
    return reply
