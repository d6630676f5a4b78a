"""What a caller shows of itself in the metadata of a call."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from mailvet.accounts.keys import PREFIX

MAX_CREDENTIAL_CHARACTERS = 8_192
"""What HTTP servers take of one header; our tokens have some hundreds."""


class Shown(NamedTuple):
    """A key or a token, unchecked; all empty when nothing was shown."""

    key: str = ""
    token: str = ""
    user: str = ""
    """The user name that came with a key by Basic."""
    unreadable: bool = False
    """Whether something was shown in a way that we do not know."""

    @property
    def nothing(self) -> bool:
        """Whether the caller showed nothing at all."""
        return not (self.key or self.token or self.unreadable)


NOTHING = Shown()
UNREADABLE = Shown(unreadable=True)


def shown(metadata: Mapping[str, str]) -> Shown:
    """Return what `authorization` says, else `x-api-key`.

    `Bearer` and `x-api-key` take a key or a token, so that a client that knows of keys only can be
    given a token. `Basic` (RFC 7617) takes a key as the password.
    """
    given = metadata.get("authorization", "").strip()
    if not given:
        key = metadata.get("x-api-key", "").strip()
        return _bearer(key) if key else NOTHING
    scheme, _, text = given.partition(" ")
    match scheme.lower():
        case "bearer":
            return _bearer(text.strip())
        case "basic":
            return _basic(text.strip())
    return UNREADABLE


def _bearer(text: str) -> Shown:
    if len(text) > MAX_CREDENTIAL_CHARACTERS:
        return UNREADABLE
    if text.startswith(f"{PREFIX}_"):
        return Shown(key=text)
    return Shown(token=text) if text.count(".") == 2 else UNREADABLE


def _basic(text: str) -> Shown:
    if len(text) > MAX_CREDENTIAL_CHARACTERS:
        return UNREADABLE
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return UNREADABLE
    return Shown(key=password, user=user) if colon and password else UNREADABLE
