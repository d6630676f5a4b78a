"""Rules that are read once and never stale."""

import asyncio

from mailvet.model.ruling import TenantRules
from mailvet.store.base import Store
from mailvet.store.remembered import RememberedRules


class Slow:
    """A store of rules whose reads end when they are told to."""

    def __init__(self) -> None:
        self.rules = TenantRules(revision=1)
        self.reads = 0
        self.go_on = asyncio.Event()

    async def read(self, _tenant: str) -> TenantRules:
        self.reads += 1
        found = self.rules
        await self.go_on.wait()
        return found


async def test_rules_are_read_once() -> None:
    """Until they change; then they are read again."""
    slow = Slow()
    slow.go_on.set()
    remembered = RememberedRules(slow.read)
    assert 1 == (await remembered.get("acme")).revision == (await remembered.get("acme")).revision
    assert 1 == slow.reads
    slow.rules = TenantRules(revision=2)
    remembered.changed("acme")

    assert 2 == (await remembered.get("acme")).revision


async def test_a_read_that_a_change_overtook_is_not_kept() -> None:
    """It began before the change and ends after it."""
    slow = Slow()
    remembered = RememberedRules(slow.read)
    reading = asyncio.create_task(remembered.get("acme"))
    await asyncio.sleep(0)
    slow.rules = TenantRules(revision=2)
    remembered.changed("acme")
    slow.go_on.set()
    await reading

    assert 2 == (await remembered.get("acme")).revision


async def test_a_store_answers_with_the_newest(store: Store) -> None:
    """What was put is what is got, every time."""
    revisions = []
    for _ in range(3):
        await store.get_rules("acme")
        await store.put_rules("acme", TenantRules())
        revisions.append((await store.get_rules("acme")).revision)

    assert [1, 2, 3] == revisions
