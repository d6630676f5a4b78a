"""API keys: how they look, and how they are kept.

A key is `mv_<id>_<secret>_<checksum>`. The checksum lets anybody (a scanner for leaked keys, or
we, without asking the store) tell a key from a typing error; only a digest of the secret is kept.
"""

import secrets
from binascii import crc32
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from mailvet.model.access import ALL_SCOPES, ApiKey, Scopes

PREFIX = "mv"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARACTERS = 12
_SECRET_CHARACTERS = 43
"""256 bits in base 62."""
_CHECKSUM_CHARACTERS = 6


class ParsedKey(NamedTuple):
    """The parts of a well-formed key."""

    key_id: str
    secret: str


def make_key(
    tenant: str,
    name: str,
    *,
    pepper: bytes,
    wall_clock: Callable[[], float],
    scopes: Scopes = ALL_SCOPES,
    expire_time: float | None = None,
) -> tuple[str, ApiKey]:
    """Return a new key, to be shown once, and what the store keeps of it."""
    key_id = _random(_ID_CHARACTERS)
    secret = _random(_SECRET_CHARACTERS)
    body = f"{PREFIX}_{key_id}_{secret}"
    kept = ApiKey(
        key_id,
        tenant,
        name,
        digest(secret, pepper),
        wall_clock(),
        scopes=scopes,
        expire_time=expire_time,
    )
    return f"{body}_{_checksum(body)}", kept


def parse_key(text: str) -> ParsedKey | None:
    """Return the parts of a key, or None when it is none."""
    body, _, checksum = text.rpartition("_")
    parts = body.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or not text.isascii():
        return None
    if len(parts[1]) != _ID_CHARACTERS or len(parts[2]) != _SECRET_CHARACTERS:
        return None
    return ParsedKey(parts[1], parts[2]) if checksum == _checksum(body) else None


def digest(secret: str, pepper: bytes) -> bytes:
    """Return what is kept of a secret; it has 256 random bits, so a fast hash is enough."""
    return sha256(pepper + secret.encode("ascii")).digest()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _checksum(body: str) -> str:
    number, text = crc32(body.encode("ascii")), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
