"""API keys: how they look, how they are kept, and who a call comes from.

A key is `mv_<id>_<secret>_<checksum>`. The checksum lets anybody (a scanner for leaked keys, or
we, without asking the store) tell a key from a typing error; only a digest of the secret is kept.
"""

import hmac
import secrets
from binascii import crc32
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import NamedTuple

from mailvet.errors import Unauthenticated
from mailvet.model.batch import ApiKey
from mailvet.store.base import Store

PREFIX = "mv"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_CHARACTERS = 12
_SECRET_CHARACTERS = 43
"""256 bits in base 62."""
_CHECKSUM_CHARACTERS = 6
CACHE_S = 5.0
"""How long a revoked key may still work: short for people, long for a busy caller."""
MAX_CACHED = 10_000
"""Ids remembered, known or not, so that neither callers nor guessers fill the memory."""
DEFAULT_TENANT = "default"
_NOBODY = bytes(32)


class Caller(NamedTuple):
    """Who a call comes from."""

    tenant: str
    key_id: str = ""
    """Empty where no keys are asked for."""


class ParsedKey(NamedTuple):
    """The parts of a well-formed key."""

    key_id: str
    secret: str


def make_key(
    tenant: str, name: str, *, pepper: bytes, wall_clock: Callable[[], float]
) -> tuple[str, ApiKey]:
    """Return a new key, to be shown once, and what the store keeps of it."""
    key_id = _random(_ID_CHARACTERS)
    secret = _random(_SECRET_CHARACTERS)
    body = f"{PREFIX}_{key_id}_{secret}"
    kept = ApiKey(key_id, tenant, name, digest(secret, pepper), wall_clock())
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


class Authenticator:
    """Tells callers apart; `required` is False where everybody is the default tenant."""

    def __init__(self, store: Store, *, required: bool, clock: Callable[[], float]) -> None:
        self._store = store
        self.required = required
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, ApiKey | None]] = OrderedDict()

    async def identify(self, metadata: Mapping[str, str]) -> Caller:
        """Return who calls; raises `Unauthenticated`, always with the same words."""
        text = _key_text(metadata)
        if not self.required and not text:
            return Caller(DEFAULT_TENANT)
        parsed = parse_key(text)
        if parsed is not None:
            key = await self._find(parsed.key_id)
            # An unknown id is compared with something too: its answer takes as long.
            kept = _NOBODY if key is None else key.digest
            right = hmac.compare_digest(kept, digest(parsed.secret, self._store.secret))
            if right and key is not None and key.revoke_time is None:
                return Caller(key.tenant, key.key_id)
        raise Unauthenticated(
            "no valid API key; send one as `x-api-key: KEY` or `authorization: Bearer KEY`"
        )

    async def recheck(self, caller: Caller) -> None:
        """Raise `Unauthenticated` when the key of a long call was revoked meanwhile."""
        if not self.is_sure_of(caller):
            key = await self._find(caller.key_id)
            if key is None or key.revoke_time is not None:
                raise Unauthenticated("the API key was revoked")

    def is_sure_of(self, caller: Caller) -> bool:
        """Whether a caller's key was found good so lately that nobody need be asked."""
        if not caller.key_id:
            return True
        until, key = self._known.get(caller.key_id, (0.0, None))
        return key is not None and key.revoke_time is None and self._clock() < until

    async def _find(self, key_id: str) -> ApiKey | None:
        now = self._clock()
        until, key = self._known.get(key_id, (0.0, None))
        if now < until:
            return key
        key = await self._store.find_key(key_id)
        self._known[key_id] = (now + CACHE_S, key)
        self._known.move_to_end(key_id)
        if len(self._known) > MAX_CACHED:
            self._known.popitem(last=False)
        return key


def _key_text(metadata: Mapping[str, str]) -> str:
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return metadata.get("x-api-key", "").strip()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _checksum(body: str) -> str:
    number, text = crc32(body.encode("ascii")), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
