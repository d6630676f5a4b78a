"""The keys in memory: how old they get, and how seldom they are read."""

import asyncio

from mailvet.accounts.key_table import BURST, MAX_AGE_S, RETRY_S, KeyTable
from mailvet.model.access import ApiKey
from tests.accounts.world import Clock, Keys, made


def table(store: Keys, clock: Clock) -> KeyTable:
    """A table over a store."""
    return KeyTable(store, clock)  # type: ignore[arg-type]


async def test_a_busy_caller_costs_one_look_in_a_while() -> None:
    """Within some seconds the store is read once."""
    _, kept = made()
    store, clock = Keys(kept), Clock()
    keys = table(store, clock)
    for _ in range(100):
        assert kept == await keys.find(kept.key_id)
    assert 1 == store.asked

    clock.now += MAX_AGE_S
    assert kept == await keys.find(kept.key_id)
    assert 2 == store.asked


async def test_guesses_cost_some_looks_a_second() -> None:
    """However many unknown ids are tried: some looks at first, then at the pace of the clock."""
    store, clock = Keys(), Clock()
    keys = table(store, clock)
    for turn in range(1000):
        clock.now += 0.001
        assert await keys.find(f"guess{turn}") is None
    assert store.asked <= BURST + 1 / RETRY_S + 1


async def test_a_new_key_works_at_once() -> None:
    """A table that was just read is read again for an id it does not have."""
    store, clock = Keys(), Clock()
    keys = table(store, clock)
    _, kept = made()
    assert await keys.find(kept.key_id) is None

    store.keys[kept.key_id] = kept
    assert kept == await keys.find(kept.key_id)


async def test_a_new_key_is_found_among_guesses() -> None:
    """At the next look, a moment later."""
    store, clock = Keys(), Clock()
    keys = table(store, clock)
    for turn in range(1000):
        await keys.find(f"guess{turn}")
    _, kept = made()
    store.keys[kept.key_id] = kept
    assert await keys.find(kept.key_id) is None

    clock.now += RETRY_S
    assert kept == await keys.find(kept.key_id)


async def test_a_change_made_here_counts_at_once() -> None:
    """Without waiting for the table to age."""
    _, kept = made()
    store = Keys(kept)
    keys = table(store, Clock())
    await keys.find(kept.key_id)

    store.keys[kept.key_id] = revoked = kept._replace(revoke_time=2.0)
    keys.forget()
    assert revoked == await keys.find(kept.key_id)


class SlowKeys(Keys):
    """Answers once it is let."""

    def __init__(self, *keys: ApiKey) -> None:
        super().__init__(*keys)
        self.may = asyncio.Event()

    async def list_keys(self, _tenant: str | None = None) -> list[ApiKey]:
        found = await super().list_keys()
        await self.may.wait()
        return found


async def test_all_who_wait_share_one_look() -> None:
    """A hundred calls at once read the store once; one that hangs up takes it from nobody."""
    _, kept = made()
    store = SlowKeys(kept)
    keys = table(store, Clock())
    waiting = [asyncio.create_task(keys.find(kept.key_id)) for _ in range(100)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    store.may.set()

    assert [kept] * 99 == await asyncio.gather(*waiting[1:])
    assert 1 == store.asked


async def test_what_was_read_before_a_change_does_not_count() -> None:
    """A look that was under way while a key was revoked is not taken for the truth."""
    _, kept = made()
    store = SlowKeys(kept)
    keys = table(store, Clock())
    early = asyncio.create_task(keys.find(kept.key_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.keys[kept.key_id] = revoked = kept._replace(revoke_time=2.0)
    keys.forget()
    store.may.set()

    assert revoked == await early
    assert revoked == await keys.find(kept.key_id)
