"""The least time between frames."""

import asyncio

from mailvet.batches.pause import Pause


async def test_the_first_time_is_free() -> None:
    """Nobody waits before anything was said."""
    pause = Pause(lambda: 0.0, 3600.0)

    await asyncio.wait_for(pause.keep(), 1.0)


async def test_nobody_waits_when_the_gap_has_passed() -> None:
    """A slow loop is not held up."""
    times = iter([0.0, 3600.0])
    pause = Pause(lambda: next(times), 3600.0)
    pause.start()

    await asyncio.wait_for(pause.keep(), 1.0)


async def test_a_fast_loop_is_held_up() -> None:
    """Within the gap the loop waits."""
    pause = Pause(lambda: 0.0, 3600.0)
    pause.start()
    waiting = asyncio.create_task(pause.keep())
    await asyncio.sleep(0)

    assert not waiting.done()
    waiting.cancel()
