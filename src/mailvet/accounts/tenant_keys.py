"""The keys of one tenant as its own administrators handle them: make, list, rotate, revoke."""

from collections.abc import Callable
from typing import NamedTuple

from mailvet.accounts.key_table import KeyTable
from mailvet.accounts.keys import make_key
from mailvet.errors import InvalidRequest, NotFound, PermissionDenied, QuotaExceeded, Violation
from mailvet.model.access import ApiKey, Caller, Scopes
from mailvet.store.base import Store

MAX_KEYS = 200
"""Keys of a tenant that work at once: one for each program and place, and each of them twice while
it is rotated."""


class MadeKey(NamedTuple):
    """A new key: as it is kept, and the text that is told once."""

    key: ApiKey
    text: str


class TenantKeys:
    """Makes and ends keys; `table` is told of every change so that it counts at once here."""

    def __init__(self, store: Store, table: KeyTable, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._table = table
        self._wall_clock = wall_clock

    async def create(
        self, caller: Caller, name: str, scopes: Scopes, expire_time: float | None
    ) -> MadeKey:
        """Make a key of the caller's tenant, without scopes one like the caller's.

        Raises `PermissionDenied` for more than the caller may itself, `InvalidRequest` for an end
        that is past, and `QuotaExceeded` when there are `MAX_KEYS` that work.
        """
        now = self._wall_clock()
        if expire_time is not None and expire_time <= now:
            raise InvalidRequest(
                [Violation("expire_time", "is past; give a later time, or none for no end")]
            )
        made = self._make(caller, name, scopes or caller.scopes, expire_time)
        await self._require_room(caller.tenant)
        await self._store.add_key(made.key)
        self._table.forget()
        return made

    async def rotate(self, caller: Caller, key_id: str, overlap_s: float) -> tuple[MadeKey, ApiKey]:
        """Make a key in place of another one, which ends after `overlap_s`; return both.

        The second factor goes over to the new one. Raises as `create`, and `NotFound` for a key
        that does not work.
        """
        old = await self._find(caller.tenant, key_id)
        now = self._wall_clock()
        if not old.works(now):
            raise NotFound("key", key_id)
        made = self._make(caller, old.name, old.scopes, old.expire_time)
        made = made._replace(
            key=made.key._replace(
                totp_secret=old.totp_secret, totp_since=old.totp_since, totp_step=old.totp_step
            )
        )
        await self._require_room(caller.tenant)
        await self._store.rotate_key(key_id, made.key, now + overlap_s)
        self._table.forget()
        return made, await self._find(caller.tenant, key_id)

    async def revoke(self, caller: Caller, key_id: str) -> ApiKey:
        """Revoke a key of the caller's tenant, its own one too, and return it."""
        await self._find(caller.tenant, key_id)
        await self._store.revoke_key(key_id)
        self._table.forget()
        return await self._find(caller.tenant, key_id)

    async def list(self, caller: Caller) -> list[ApiKey]:
        """Return the keys of the caller's tenant, the oldest first."""
        return await self._store.list_keys(caller.tenant)

    def _make(
        self, caller: Caller, name: str, scopes: Scopes, expire_time: float | None
    ) -> MadeKey:
        for scope in sorted(scopes - caller.scopes):
            raise PermissionDenied(
                f"the key would have the scope {scope}, which its maker lacks; leave it out, or "
                "call with a key that has it",
                scope=scope,
            )
        text, key = make_key(
            caller.tenant,
            name,
            pepper=self._store.secret,
            wall_clock=self._wall_clock,
            scopes=scopes,
            expire_time=expire_time,
        )
        return MadeKey(key, text)

    async def _find(self, tenant: str, key_id: str) -> ApiKey:
        key = await self._store.find_key(key_id)
        if key is None or key.tenant != tenant:
            raise NotFound("key", key_id)
        return key

    async def _require_room(self, tenant: str) -> None:
        now = self._wall_clock()
        working = sum(key.works(now) for key in await self._store.list_keys(tenant))
        if working >= MAX_KEYS:
            raise QuotaExceeded(
                f"{working} keys work, at most {MAX_KEYS} may; revoke those nobody uses",
                subject="api_keys",
            )
