"""How long a session that is not full waits for company."""

import asyncio

from mailvet.engine.gathering import Gathering


async def _started(gathering: Gathering, *, within_s: float) -> bool:
    started = asyncio.Event()
    gathering.wait(started, started.set)
    try:
        async with asyncio.timeout(within_s):
            await started.wait()
    except TimeoutError:
        return False
    return True


async def test_nobody_waits_for_company_that_does_not_come() -> None:
    """Where nobody is on the way, the wait is a moment."""
    assert await _started(Gathering(60.0), within_s=1.0)


async def test_who_is_on_the_way_is_waited_for() -> None:
    """A name server that is asked keeps a session back."""
    gathering = Gathering(60.0)
    gathering.expect()

    assert not await _started(gathering, within_s=0.12)
    gathering.arrived()
    assert await _started(gathering, within_s=1.0)


async def test_company_is_not_waited_for_for_ever() -> None:
    """A name server that does not answer keeps nobody back for longer than was said."""
    gathering = Gathering(0.01)
    gathering.expect()

    assert await _started(gathering, within_s=1.0)


async def test_while_many_come_waiting_goes_on() -> None:
    """A stream of company is worth a longer wait, and that has an end as well."""
    gathering = Gathering(0.06)

    async def come() -> None:
        while True:
            gathering.expect()
            gathering.arrived()
            await asyncio.sleep(0)

    stream = asyncio.create_task(come())
    try:
        assert not await _started(gathering, within_s=0.2)
        assert await _started(gathering, within_s=2.0)
    finally:
        stream.cancel()


async def test_who_waits_twice_is_started_once() -> None:
    """More cases for the same route do not start it again."""
    gathering, started = Gathering(0.01), list[str]()
    for _ in range(2):
        gathering.wait("who", lambda: started.append("who"))
    last = asyncio.Event()
    gathering.wait("last", last.set)
    await last.wait()

    assert ["who"] == started


async def test_who_left_is_not_started() -> None:
    """Whoever found a full session meanwhile has left."""
    gathering, started, last = Gathering(0.01), list[str](), asyncio.Event()
    gathering.wait("who", lambda: started.append("who"))
    gathering.wait("last", last.set)
    gathering.leave("who")
    await last.wait()

    assert [] == started


async def test_nobody_is_started_after_the_end() -> None:
    """Closed, it has no timer left and starts nobody."""
    gathering, started = Gathering(0.0), list[str]()
    gathering.wait("who", lambda: started.append("who"))
    gathering.close()
    await asyncio.get_running_loop().run_in_executor(None, int)

    assert [] == started
