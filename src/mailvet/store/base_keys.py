"""What a store promises about API keys."""

from collections.abc import Mapping
from typing import Protocol

from mailvet.model.access import ApiKey


class KeyStore(Protocol):
    """Keeps keys; what asks by an id alone is for those who checked whose key it is."""

    async def add_key(self, key: ApiKey) -> None:
        """Keep an API key; raises `AlreadyExists` when its id is taken."""
        ...

    async def find_key(self, key_id: str) -> ApiKey | None:
        """Return a key, whether it works or not."""
        ...

    async def list_keys(self, tenant: str | None = None) -> list[ApiKey]:
        """Return the keys of a tenant, or of all, the oldest first."""
        ...

    async def revoke_key(self, key_id: str) -> bool:
        """Revoke a key; the first time stays. False when there is none."""
        ...

    async def rotate_key(self, key_id: str, new: ApiKey, expire_time: float) -> bool:
        """Keep a new key and let another one end at `expire_time`, in one transaction.

        An end that is nearer stays. False, and nothing is kept, when there is none.
        """
        ...

    async def note_key_uses(self, uses: Mapping[str, float]) -> None:
        """Note when keys were used last; a time before the one that is known changes nothing."""
        ...

    async def begin_totp(self, key_id: str, secret: str) -> bool:
        """Keep the secret of a second factor; False when the key has a proven one, or is none."""
        ...

    async def accept_totp(self, key_id: str, step: int) -> bool:
        """Note that the code of a time step was right; False when that step or a later one was.

        The first one proves the second factor: from now on it is asked for.
        """
        ...
