"""Keys, a store of them that counts how often it is asked, and a clock that is moved by hand."""

from typing import Any

from mailvet.accounts.authenticator import Authenticator
from mailvet.accounts.keys import make_key
from mailvet.errors import Unavailable
from mailvet.model.access import ApiKey

PEPPER = bytes(32)


def made(tenant: str = "acme", pepper: bytes = PEPPER, **more: Any) -> tuple[str, ApiKey]:
    """A key: its text, and what is kept of it."""
    return make_key(tenant, "ci", pepper=pepper, wall_clock=lambda: 1.0, **more)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Keys:
    """Keeps keys and counts how often all of them are read."""

    secret = PEPPER

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.key_id: key for key in keys}
        self.asked = 0
        self.uses: list[dict[str, float]] = []
        self.refuses = False

    async def note_key_uses(self, uses: dict[str, float]) -> None:
        if self.refuses:
            raise Unavailable("the disk is full")
        self.uses.append(uses)

    async def list_keys(self, _tenant: str | None = None) -> list[ApiKey]:
        self.asked += 1
        return list(self.keys.values())


def authenticator(store: Keys, clock: Clock | None = None, **more: Any) -> Authenticator:
    """One that asks everybody for a key, unless `more` says otherwise."""
    clock = clock or Clock()
    chosen = {"required": True, "clock": clock, "wall_clock": clock} | more
    return Authenticator(store, **chosen)  # type: ignore[arg-type]
