"""Tokens: short-lived JWTs that stand for an API key, or for a part of what it may (RFC 8725).

A token names its key (`sub`) and no tenant: whose it is, and whether it still works, says the key.
So a token ends with its key, and nothing about tenants can be forged.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt

from mailvet.accounts.token_keys import TokenKeys
from mailvet.model.access import Scope, Scopes

AUDIENCE = "mailvet"
ISSUER = "mailvet"
TYPE = "mailvet+jwt"
"""Explicit typing (RFC 8725 3.11): a JWT that was made for something else is no token of ours."""
LEEWAY_S = 30.0
"""Between the clocks of servers that share a store; also how long a token outlives its end."""
MAX_LIFETIME_S = 3600.0
MAX_CACHED = 10_000
"""Tokens that were read: a signature costs more to check than all the rest of a call."""
_CLAIMS = {"iss", "aud", "sub", "iat", "exp", "jti", "scope"}
_HEADER = {"alg", "kid", "typ"}
"""All that a header of ours has: `jku`, `x5u`, `jwk`, `crit` are nothing that we follow."""


class Read(NamedTuple):
    """What a valid token says."""

    key_id: str
    scopes: Scopes
    issue_time: float
    expire_time: float


class Tokens:
    """Issues and reads tokens; `wall_clock` is seconds since the epoch."""

    def __init__(self, keys: TokenKeys, wall_clock: Callable[[], float]) -> None:
        self._keys = keys
        self._wall_clock = wall_clock
        self._known: OrderedDict[str, Read] = OrderedDict()

    def issue(self, key_id: str, scopes: Scopes, lifetime_s: float) -> tuple[str, float]:
        """Return a token for a key, and when it ends in seconds since the epoch."""
        now = int(self._wall_clock())
        expire_time = now + int(lifetime_s)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": key_id,
            "iat": now,
            "exp": expire_time,
            "jti": secrets.token_hex(16),
            "scope": " ".join(sorted(scopes)),
        }
        key = self._keys.signing()
        header = {"typ": TYPE, "kid": key.kid}
        return jwt.encode(claims, key.private, key.algorithm, header), float(expire_time)

    def read(self, token: str) -> tuple[str, Scopes] | None:
        """Return the id of a valid token's key and what it allows; None when it is not valid."""
        found = self._known.get(token)
        if found is None:
            found = self._verified(token)
            if found is None:
                return None
            self._known[token] = found
            if len(self._known) > MAX_CACHED:
                self._known.popitem(last=False)
        now = self._wall_clock()
        if not found.issue_time - LEEWAY_S <= now < found.expire_time + LEEWAY_S:
            self._known.pop(token, None)
            return None
        return found.key_id, found.scopes

    def _verified(self, token: str) -> Read | None:
        """What a token says when its signature and its form are right, whatever the time."""
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.find(str(header.get("kid")))
            if key is None or header.keys() != _HEADER or header["typ"] != TYPE:
                return None
            claims = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[key.algorithm],  # the key's one, whatever the header says
                audience=AUDIENCE,
                issuer=ISSUER,
                # Times are held against our own clock, by `read`.
                options={
                    "require": sorted(_CLAIMS),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return _read(claims)
        except (jwt.InvalidTokenError, ValueError):
            return None


def _read(claims: dict[str, Any]) -> Read | None:
    if claims.keys() != _CLAIMS:
        return None
    issued, expires, scope = claims["iat"], claims["exp"], claims["scope"]
    if not (isinstance(issued, int) and isinstance(expires, int) and isinstance(scope, str)):
        return None
    if not 0 <= expires - issued <= MAX_LIFETIME_S:
        return None
    return Read(str(claims["sub"]), frozenset(map(Scope, scope.split())), issued, expires)
