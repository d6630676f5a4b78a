"""What takes the place of an address wherever people look at how the service runs.

The code does not log addresses in the first place; this is the wall behind it. A text of our own
that holds one loses it, and an exception's words lose everything in quotation marks: that is
where Python's own messages show the value that was wrong.
"""

import re
import secrets
import traceback
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

NONE, DOMAIN, HASH = "none", "domain", "hash"
MODES = (NONE, DOMAIN, HASH)
"""Nothing of the address, its domain, or its domain and a mark of the rest."""

_ADDRESS = re.compile(
    r"""("(?:[^"\\\n]|\\.){1,80}"|[^\s<>"(),:;\[\]\\]{1,256})@([^\s@<>"'(),;]*)"""
)
"""A quoted local part or a plain one (too long ones too), and whatever follows the at sign."""
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_PROSE = ("Traceback ", "The above exception ", "During handling ", " ")
"""How lines of a traceback begin that hold no words of an exception."""


class Redactor:
    """Takes addresses out of texts and of everything made of texts.

    Marks are 8 hex digits under a key that ends with the process: they tell that two lines are
    about the same mailbox, and nobody can try out which one.
    """

    def __init__(self, mode: str = NONE) -> None:
        self._mode = mode
        self._key = secrets.token_bytes(32)

    def text(self, text: str) -> str:
        """Return a text without addresses."""
        return _ADDRESS.sub(self._mark, text) if "@" in text else text

    def value(self, value: Any) -> Any:
        """Return a value of a log line without addresses, however deep they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "backslashreplace"))
        if isinstance(value, Mapping):
            return {self.value(key): self.value(one) for key, one in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(one) for one in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def exception(self, error: BaseException) -> str:
        """Return a traceback in which no message quotes a value."""
        lines = "".join(traceback.format_exception(error)).splitlines()
        kept = [
            line if line.startswith(_PROSE) else self.text(_QUOTED.sub("'...'", line))
            for line in lines
        ]
        return "\n".join(kept)

    def _mark(self, found: "re.Match[str]") -> str:
        if self._mode == NONE:
            return "<address>"
        local_part, domain = found.groups()
        if self._mode == DOMAIN:
            return f"*@{domain}"
        digest = blake2b(local_part.encode("utf-8", "surrogatepass"), digest_size=4, key=self._key)
        return f"{digest.hexdigest()}@{domain}"
