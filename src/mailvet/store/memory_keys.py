"""The API keys of a memory store."""

from collections.abc import Callable, Mapping

from mailvet.errors import AlreadyExists
from mailvet.model.access import ApiKey


class MemoryKeys:
    """The part of a memory store that answers `KeyStore`."""

    _clock: Callable[[], float]
    _keys: dict[str, ApiKey]

    async def add_key(self, key: ApiKey) -> None:
        """See `KeyStore.add_key`."""
        if key.key_id in self._keys:
            raise AlreadyExists("key", key.key_id)
        self._keys[key.key_id] = key

    async def find_key(self, key_id: str) -> ApiKey | None:
        """See `KeyStore.find_key`."""
        return self._keys.get(key_id)

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        """See `KeyStore.list_keys`."""
        found = [key for key in self._keys.values() if tenant in (None, key.tenant)]
        return sorted(found, key=lambda key: (key.create_time, key.key_id))

    async def revoke_key(self, key_id: str) -> bool:
        """See `KeyStore.revoke_key`."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        if key.revoke_time is None:
            self._keys[key_id] = key._replace(revoke_time=self._clock())
        return True

    async def rotate_key(self, key_id: str, new: ApiKey, expire_time: float) -> bool:
        """See `KeyStore.rotate_key`."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        await self.add_key(new)
        end = expire_time if key.expire_time is None else min(key.expire_time, expire_time)
        self._keys[key_id] = key._replace(expire_time=end)
        return True

    async def note_key_uses(self, uses: Mapping[str, float]) -> None:
        """See `KeyStore.note_key_uses`."""
        for key_id, time in uses.items():
            key = self._keys.get(key_id)
            if key is not None:
                self._keys[key_id] = key._replace(last_use_time=max(key.last_use_time or 0, time))

    async def begin_totp(self, key_id: str, secret: str) -> bool:
        """See `KeyStore.begin_totp`."""
        key = self._keys.get(key_id)
        if key is None or key.totp_since is not None:
            return False
        self._keys[key_id] = key._replace(totp_secret=secret, totp_step=0)
        return True

    async def accept_totp(self, key_id: str, step: int) -> bool:
        """See `KeyStore.accept_totp`."""
        key = self._keys.get(key_id)
        if key is None or not key.totp_secret or step <= key.totp_step:
            return False
        since = self._clock() if key.totp_since is None else key.totp_since
        self._keys[key_id] = key._replace(totp_step=step, totp_since=since)
        return True
