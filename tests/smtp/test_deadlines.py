"""One timer for all who have a deadline, in virtual time."""

import asyncio

from mailvet.smtp.deadlines import DEADLINES, LOOK_S, Deadlines
from tests.faults.seeded_loop import run_seeded


class _Looker:
    """Notes when it looks, and ends others then."""

    def __init__(self, here: Deadlines, ends: "_Looker | None" = None) -> None:
        self._here = here
        self._ends = ends
        self.looks: list[float] = []

    def look(self) -> None:
        self.looks.append(round(asyncio.get_running_loop().time(), 6))
        if self._ends is not None:
            self._here.forget(self._ends)


def test_everybody_looks_until_forgotten() -> None:
    """Ten times a second; the timer ends with the last of them, and begins anew with the next."""

    async def main() -> tuple[list[float], list[float]]:
        loop = asyncio.get_running_loop()
        here = DEADLINES.of(loop)
        assert here is DEADLINES.of(loop)
        first, second = _Looker(here), _Looker(here)
        here.watch(first)
        await asyncio.sleep(2.5 * LOOK_S)
        here.forget(first)
        await asyncio.sleep(10)
        here.watch(second)
        await asyncio.sleep(1.5 * LOOK_S)
        here.forget(second)
        return first.looks, second.looks

    first, second = run_seeded(1, main())
    assert [0.1, 0.2] == first
    assert [10.35] == second


def test_who_was_ended_by_another_looks_no_more() -> None:
    """A look may end any other session, and that one is done with."""

    async def main() -> int:
        here = DEADLINES.of(asyncio.get_running_loop())
        first = _Looker(here)
        second = _Looker(here, ends=first)
        first._ends = second
        here.watch(first)
        here.watch(second)
        await asyncio.sleep(1.5 * LOOK_S)
        here.forget(first)
        here.forget(second)
        return len(first.looks) + len(second.looks)

    assert 1 == run_seeded(1, main())
