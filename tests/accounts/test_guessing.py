"""Refusals are held when there are many, and only then."""

import asyncio

import pytest

from mailvet.accounts import guessing
from mailvet.accounts.guessing import FREE_BURST, FREE_PER_S, Guessing
from tests.accounts.world import Clock


async def began(how: Guessing, count: int) -> list["asyncio.Task[None]"]:
    """So many refusals at once, each as far as it gets."""

    async def refuse() -> None:
        if how.is_late():
            await how.hold()

    tasks = [asyncio.create_task(refuse()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_few_are_answered_at_once() -> None:
    """A burst, and then some a second for ever."""
    clock = Clock()
    how = Guessing(clock)
    assert all(task.done() for task in await began(how, FREE_BURST))
    for _ in range(50):
        clock.now += 1.01
        assert all(task.done() for task in await began(how, int(FREE_PER_S)))
    assert 0 == how.held


async def test_many_wait() -> None:
    """Those beyond the burst, for the time that was set; nobody is forgotten."""
    how = Guessing(Clock(), hold_s=0.01)
    tasks = await began(how, FREE_BURST + 30)
    assert FREE_BURST == sum(task.done() for task in tasks)
    assert 30 == how.held
    await asyncio.gather(*tasks)
    assert 0 == how.held


async def test_all_can_be_let_go() -> None:
    """As a server does that goes away."""
    how = Guessing(Clock())
    tasks = await began(how, FREE_BURST + 5)
    how.let_go()
    await asyncio.gather(*tasks)
    assert 0 == how.held


async def test_who_hangs_up_is_not_held() -> None:
    """And counts no longer."""
    how = Guessing(Clock())
    tasks = await began(how, FREE_BURST + 5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 0 == how.held


async def test_only_so_many_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has an end: the others are answered at once."""
    monkeypatch.setattr(guessing, "MAX_HELD", 10)
    how = Guessing(Clock())
    tasks = await began(how, FREE_BURST + 50)
    assert 10 == how.held
    assert 10 == sum(not task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
