"""How long a session that is not full waits for company."""

import asyncio
from dataclasses import dataclass

from mailvet.engine.gathering import Gathering


@dataclass(eq=False)
class _Party:
    """Somebody who waits."""

    queued: int = 1


async def _started(gathering: Gathering, *, within_s: float) -> bool:
    started = asyncio.Event()
    gathering.wait(_Party(), lambda _: started.set())
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


async def test_where_nobody_has_room_to_come_the_fullest_go_first() -> None:
    """A full window lets nobody in: as many go as there are sessions, the others wait on."""
    gathering, started = Gathering(60.0, lambda: 2), list[int]()
    gathering.blocked = True
    fuller = asyncio.Event()
    for queued in (3, 9, 1, 7):
        gathering.wait(_Party(queued), lambda who: started.append(who.queued))
    gathering.wait(_Party(8), lambda _: fuller.set())
    await fuller.wait()

    assert [9] == started
    gathering.close()


async def test_a_full_window_keeps_nobody_for_ever() -> None:
    """Who waits behind others that are fuller has a limit to that too."""
    gathering = Gathering(0.06, lambda: 0)
    gathering.blocked = True

    assert await _started(gathering, within_s=1.0)


async def test_the_end_of_a_list_lets_everybody_go() -> None:
    """Where nobody is on the way and the window has room, there is nothing to wait for."""
    gathering = Gathering(60.0, lambda: 0)

    assert await _started(gathering, within_s=1.0)


async def test_who_waits_twice_is_started_once() -> None:
    """More cases for the same route do not start it again."""
    gathering, started, who = Gathering(0.01), list[str](), _Party()
    for _ in range(2):
        gathering.wait(who, lambda _: started.append("who"))
    last = asyncio.Event()
    gathering.wait(_Party(), lambda _: last.set())
    await last.wait()

    assert ["who"] == started


async def test_who_left_is_not_started() -> None:
    """Whoever found a full session meanwhile has left."""
    gathering, started, last = Gathering(0.01), list[str](), asyncio.Event()
    who = _Party()
    gathering.wait(who, lambda _: started.append("who"))
    gathering.wait(_Party(), lambda _: last.set())
    gathering.leave(who)
    await last.wait()

    assert [] == started


async def test_nobody_is_started_after_the_end() -> None:
    """Closed, it has no timer left and starts nobody."""
    gathering, started = Gathering(0.0), list[str]()
    gathering.wait(_Party(), lambda _: started.append("who"))
    gathering.close()
    await asyncio.get_running_loop().run_in_executor(None, int)

    assert [] == started
