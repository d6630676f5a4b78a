"""When each key was used last: noted in memory, written once a minute for all of them."""

import asyncio

from mailvet.errors import Unavailable
from mailvet.store.base_keys import KeyStore

WRITE_EVERY_S = 60.0
"""One commit a minute, however many calls there are."""


class KeyUses:
    """The uses since the last time they were written; times are seconds since the epoch."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._uses: dict[str, float] = {}

    def note(self, key_id: str, time: float) -> None:
        """Note a use."""
        self._uses[key_id] = time

    async def write(self) -> None:
        """Write them down; a store that cannot gets them the next time."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._store.note_key_uses(uses)
        except Unavailable:
            self._uses = uses | self._uses

    async def run(self) -> None:
        """Write every minute, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def close(self) -> None:
        """Write what is left."""
        await self.write()
