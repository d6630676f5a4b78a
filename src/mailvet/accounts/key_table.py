"""Every key of the store, in memory: neither callers nor guessers cost a look into the file.

The table is read as a whole: again after some seconds, so that a revoked key ends in time, and
when an id is not in it, so that a new key works at once. Guesses, however many they are, make that
happen a few times a second at most: a new key may then have to wait for the next time.
"""

import asyncio
from collections.abc import Callable

from mailvet.model.access import ApiKey
from mailvet.store.base_keys import KeyStore

MAX_AGE_S = 3.5
"""With the second between two looks at open calls: a revoked key works for less than 5 s."""
RETRY_S = 0.25
"""Between two readings because of unknown ids, in the long run."""
BURST = 20
"""Such readings in a row: nobody who makes some keys and uses them has to wait."""
_SHARE = 0.05
"""Of the time, at most, is spent on reading because of unknown ids."""


class KeyTable:
    """The keys of a store; `clock` is monotonic seconds."""

    def __init__(self, store: KeyStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}
        self._read_at = float("-inf")
        self._took_s = 0.0
        self._spent_until = float("-inf")
        """Up to when the time for readings because of unknown ids is spent."""
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> ApiKey | None:
        """Return a key, whether it works or not; at most `MAX_AGE_S` ago it was so."""
        while self._age_s() >= MAX_AGE_S:
            await self._read()
        if key_id not in self._keys and self._may_look():
            await self._read()
        return self._keys.get(key_id)

    def _may_look(self) -> bool:
        """Whether an unknown id may have it read: `BURST` times, then at a steady pace."""
        now, pause_s = self._clock(), max(RETRY_S, self._took_s / _SHARE)
        due = max(self._spent_until, now - BURST * pause_s) + pause_s
        if due > now:
            return False
        self._spent_until = due
        return True

    def _age_s(self) -> float:
        return self._clock() - self._read_at

    def peek(self, key_id: str) -> ApiKey | None:
        """Return what `find` would without a look into the store; None where it would look."""
        return self._keys.get(key_id) if self._age_s() < MAX_AGE_S else None

    def forget(self) -> None:
        """Have it read anew for the next call: something was changed here."""
        self._read_at = float("-inf")
        self._reading = None

    async def _read(self) -> None:
        """Read it, once for all who wait."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._load())
        # Shielded: a caller who hangs up must not take it from the others.
        await asyncio.shield(self._reading)

    async def _load(self) -> None:
        me, begun = asyncio.current_task(), self._clock()
        keys = {key.key_id: key for key in await self._store.list_keys()}
        if self._reading is me:  # or it was read before a change
            self._keys = keys
            self._read_at = begun
            self._took_s = self._clock() - begun
