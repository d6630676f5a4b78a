"""What a call is signed with: Standard Webhooks, version 1 (HMAC-SHA256)."""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256

PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
"""As the specification asks."""
MAX_SECRETS = 3
"""A new one beside the old one while receivers change over, and one to spare."""


def key_of(secret: str) -> bytes:
    """Return the key that a secret stands for; raises `ValueError` with the way out."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"it begins with {PREFIX!r}, then come random bytes in base64")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:  # also binascii.Error
        raise ValueError(f"what follows {PREFIX!r} is no base64") from None
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise ValueError(
            f"it has {len(key)} bytes; use {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} random ones"
        )
    return key


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature for each secret."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    made = (hmac.new(key_of(secret), signed, sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)
