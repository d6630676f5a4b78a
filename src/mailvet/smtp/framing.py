"""Where a reply begins and ends on the wire: aiosmtplib's protocol behind a strict gate.

The gate hands on exactly one complete reply per command, so that no stray reply can ever pass
for the answer to the next recipient, and drops what is not SMTP.
"""

from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from mailvet.model.reply import Reply
from mailvet.smtp.reply_line import MAX_REPLY_BYTES, enhanced_of, is_reply_line

MAX_TEXT_CHARS = 4096
"""Of a reply this much is kept: what it means is said in the first few lines."""


class GatedProtocol(SMTPProtocol):
    """Takes bytes from the transport; `garbled` tells that they were dropped for not being SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self.garbled = False
        self._held = bytearray()
        self._scanned = 0
        self._awaiting = True  # the banner comes unasked

    @classmethod
    def resuming(cls, said: bytes) -> "GatedProtocol":
        """For an open connection on which no reply is due; `said` came all the same."""
        protocol = cls()
        protocol._awaiting = False
        protocol._held += said
        return protocol

    @property
    def surplus(self) -> bytes:
        """What came without being asked for; not the beginning of the reply that is due."""
        return b"" if self._awaiting else bytes(self._held)

    def discard_surplus(self) -> None:
        """Forget what came without being asked for."""
        self._held.clear()

    def data_received(self, data: bytes) -> None:
        """Collect; hand on the reply that is due once it is whole."""
        self._held += data
        if len(self._held) > MAX_REPLY_BYTES:
            self._drop()
        elif self._awaiting:
            self._hand_on()

    def write(self, data: bytes) -> None:
        """Write a command; one reply is due."""
        self._awaiting = True
        super().write(data)

    def _hand_on(self) -> None:
        while (end := self._held.find(b"\n", self._scanned) + 1) > 0:
            line = self._held[self._scanned : end]
            if not is_reply_line(line) or line[:3] != self._held[:3]:
                self._drop()
                return
            self._scanned = end
            if line[3:4] != b"-":
                whole = bytes(self._held[:end])
                del self._held[:end]
                self._scanned = 0
                self._awaiting = False
                super().data_received(whole)
                return

    def _drop(self) -> None:
        self.garbled = True
        self._held.clear()
        self._scanned = 0
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]  # a BaseTransport by its hint


def read_reply(response: SMTPResponse) -> Reply:
    """Return aiosmtplib's response as a value: text that is valid Unicode, and not endless.

    Text that is not UTF-8 is read as Latin-1, which hosts of before RFC 6531 mostly meant.
    """
    text = response.message[:MAX_TEXT_CHARS]
    if not text.isascii():  # aiosmtplib keeps bytes that are not UTF-8 as lone surrogates
        said = text.encode("utf-8", "surrogateescape")
        try:
            text = said.decode("utf-8")
        except UnicodeDecodeError:
            text = said.decode("latin-1")
    return Reply(response.code, text, enhanced_of(text))
