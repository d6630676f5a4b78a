"""The moment the server starts to go away."""

import asyncio

from mailvet.batches.drain import Drain


async def value(of: int) -> int:
    return of


async def test_work_is_returned() -> None:
    """Before the drain, work is simply awaited."""
    assert await Drain().unless(value(7)) == 7


async def test_a_drain_wakes_who_waits() -> None:
    """Waiting ends the moment the drain begins, and the work is cancelled."""
    drain, never = Drain(), asyncio.Event()
    waiting = asyncio.create_task(drain.unless(never.wait()))
    await asyncio.sleep(0)
    drain.begin()

    assert await waiting is None
    assert drain.begun


async def test_after_a_drain_nothing_is_begun() -> None:
    """Work handed over afterwards does not run."""
    drain = Drain()
    drain.begin()
    drain.begin()

    assert await drain.unless(value(7)) is None


async def test_cancelling_the_waiter_cancels_the_work() -> None:
    """No task is left behind."""
    drain, never = Drain(), asyncio.Event()
    waiting = asyncio.create_task(drain.unless(never.wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0)

    assert {asyncio.current_task()} == asyncio.all_tasks()
