"""Who a call comes from: every kind of credential leads to one `Caller`."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from mailvet.accounts.credentials import Shown, shown
from mailvet.accounts.key_table import KeyTable
from mailvet.accounts.key_uses import KeyUses
from mailvet.accounts.keys import digest, parse_key
from mailvet.errors import Unauthenticated
from mailvet.model.access import ApiKey, Caller, Credential, Scopes
from mailvet.store.base import Store

DEFAULT_TENANT = "default"
_NOBODY = bytes(32)
WAY_IN = "no valid API key; send one as `x-api-key: KEY` or `authorization: Bearer KEY`"


class TokenReader(Protocol):
    """What reads tokens: `accounts.tokens`."""

    def read(self, token: str) -> tuple[str, Scopes] | None:
        """Return the id of a valid token's key and what it allows; None when it is not valid."""
        ...


class Authenticator:
    """Tells callers apart; `required` is False where everybody is the default tenant.

    `certificates` says which tenant a name in a client's certificate stands for.
    """

    def __init__(
        self,
        store: Store,
        *,
        required: bool,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        tokens: TokenReader | None = None,
        certificates: Mapping[str, Caller] | None = None,
    ) -> None:
        self.required = required
        self.keys = KeyTable(store, clock)
        self.uses = KeyUses(store)
        self.certificates = dict(certificates or {})
        self._secret = store.secret
        self._wall_clock = wall_clock
        self._tokens = tokens

    async def identify(self, metadata: Mapping[str, str], names: Iterable[str] = ()) -> Caller:
        """Return who calls; raises `Unauthenticated`, always with the same words.

        `names` are those of the client's certificate that was verified. What is shown in the
        metadata counts before them.
        """
        what = shown(metadata)
        caller: Caller | None
        if what.nothing:
            caller = self._by_certificate(names)
        elif what.token:
            caller = await self._by_token(what.token)
        else:
            caller = await self._by_key(what)
        if caller is None:
            raise Unauthenticated(WAY_IN)
        if caller.key_id:
            self.uses.note(caller.key_id, self._wall_clock())
        return caller

    async def recheck(self, caller: Caller) -> None:
        """Raise `Unauthenticated` when the key of a long call does not work any more."""
        if not self.is_sure_of(caller):
            key = await self.keys.find(caller.key_id)
            if key is None or not key.works(self._wall_clock()):
                raise Unauthenticated("the API key was revoked, or its time is over")

    def is_sure_of(self, caller: Caller) -> bool:
        """Whether a caller's key was found good so lately that nobody need be asked."""
        if not caller.key_id:
            return True
        key = self.keys.peek(caller.key_id)
        return key is not None and key.works(self._wall_clock())

    def _by_certificate(self, names: Iterable[str]) -> Caller | None:
        for name in names:
            if name in self.certificates:
                return self.certificates[name]
        return None if self.required else Caller(DEFAULT_TENANT)

    async def _by_token(self, token: str) -> Caller | None:
        read = self._tokens.read(token) if self._tokens is not None else None
        if read is None:
            return None
        key_id, scopes = read
        key = await self._working(key_id)
        if key is None:
            return None
        return Caller(key.tenant, key_id, key.scopes & scopes, Credential.TOKEN)

    async def _by_key(self, what: Shown) -> Caller | None:
        parsed = parse_key(what.key)
        if parsed is None:
            return None
        key = await self._working(parsed.key_id)
        # An unknown id is compared with something too: its answer takes as long.
        kept = _NOBODY if key is None else key.digest
        right = hmac.compare_digest(kept, digest(parsed.secret, self._secret))
        if not right or key is None or what.user not in ("", key.key_id, key.tenant):
            return None
        needs_token = key.totp_since is not None
        return Caller(key.tenant, key.key_id, key.scopes, Credential.API_KEY, needs_token)

    async def _working(self, key_id: str) -> ApiKey | None:
        key = await self.keys.find(key_id)
        return key if key is not None and key.works(self._wall_clock()) else None
