"""Revisions and their waiters."""

import asyncio

from mailvet.store import changes
from mailvet.store.changes import Changes


async def test_a_change_between_a_look_and_a_wait_is_not_lost() -> None:
    """The wait returns at once, because the revision is not the one that was seen."""
    noted = Changes()
    seen = noted.revision(5)
    noted.note([5])
    async with asyncio.timeout(5):
        assert seen < await noted.changed(5, after=seen, timeout_s=60)


async def test_every_waiter_of_a_key_is_woken_and_nobody_else() -> None:
    """A change of another key leaves them waiting."""
    noted = Changes()
    seen = noted.revision(5)
    waits = [asyncio.create_task(noted.changed(5, after=seen, timeout_s=60)) for _ in range(3)]
    await asyncio.sleep(0)
    noted.note([6])
    await asyncio.sleep(0)
    assert not any(wait.done() for wait in waits)
    noted.note([5])
    async with asyncio.timeout(5):
        assert 1 == len(set(await asyncio.gather(*waits)))


async def test_a_forgotten_key_costs_a_spurious_return_and_no_change() -> None:
    """The revision of a key that was not touched for long only grows."""
    noted = Changes()
    noted.note([1])
    seen = noted.revision(1)
    noted.note(range(2, changes.REMEMBERED_KEYS + 2))
    assert seen == noted.revision(1)
    noted.note([changes.REMEMBERED_KEYS + 3, 1])
    assert seen < noted.revision(1)


async def test_waiters_leave_nothing_behind() -> None:
    """After a time-out and after a cancellation nobody is remembered."""
    noted = Changes()
    seen = noted.revision(1)
    await noted.changed(1, after=seen, timeout_s=0)
    wait = asyncio.create_task(noted.changed(1, after=seen, timeout_s=60))
    await asyncio.sleep(0)
    assert [1] == list(noted._waiters)
    wait.cancel()
    await asyncio.wait([wait])
    assert {} == noted._waiters
