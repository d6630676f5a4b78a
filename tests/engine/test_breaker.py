"""Whose fault it is when nobody can be connected to (golden rule 8)."""

import asyncio
from collections.abc import Sequence

from mailvet.engine.breaker import Breaker, BreakerLimits
from mailvet.engine.case import Case
from mailvet.model.status import QualityLevel


class _Scene:
    """A breaker with everything around it recorded."""

    def __init__(self, *, canary: bool = False, patience_s: float = 1000.0) -> None:
        self.canary = canary
        self.released: list[tuple[int, bool]] = []
        self.paused: list[bool] = []
        self.said: list[bool] = []
        self.tried = 0
        self.changed = asyncio.Event()
        self.breaker = Breaker(
            BreakerLimits(threshold=3, patience_s=patience_s, settle_s=0.01, recheck_s=0.01),
            clock=asyncio.get_running_loop().time,
            canary=self._canary,
            pause=self._pause,
            try_one=self._try_one,
            release=self._release,
            say=self._say,
        )

    async def _canary(self) -> bool:
        return self.canary

    def _pause(self, paused: bool) -> None:
        self.paused.append(paused)

    def _try_one(self) -> bool:
        self.tried += 1
        return False

    def _release(self, cases: Sequence[Case], ours: bool) -> None:
        self.released += [(case.entry_index, ours) for case in cases]
        self.changed.set()

    async def _say(self, blocked: bool) -> None:
        self.said.append(blocked)
        self.changed.set()

    async def next_change(self) -> None:
        await asyncio.wait_for(self.changed.wait(), 5)
        self.changed.clear()


def _case(index: int) -> Case:
    return Case(
        entry_index=index,
        input_data="",
        custom="",
        duplicate_of=None,
        attempt=0,
        quality=QualityLevel.STANDARD,
        done=lambda _case: None,
    )


async def test_a_failure_counts_at_once_where_others_were_connected_to() -> None:
    """A success elsewhere proves that the way out is open: a dead exchanger is a dead exchanger."""
    scene = _Scene()
    scene.breaker.succeeded()
    scene.breaker.failed("mx.dead.test", [_case(1)])
    assert [(1, False)] == scene.released


async def test_failures_are_held_back_until_somebody_is_connected_to() -> None:
    """A failure before any success is concluded only when it is clear whose it is."""
    scene = _Scene()
    scene.breaker.failed("mx.one.test", [_case(1)])
    assert [] == scene.released
    scene.breaker.succeeded()
    assert [(1, False)] == scene.released
    await scene.breaker.close()


async def test_a_few_dead_exchangers_are_taken_at_their_word() -> None:
    """Below the threshold, failures are concluded after a short while."""
    scene = _Scene()
    scene.breaker.failed("mx.one.test", [_case(1)])
    scene.breaker.failed("mx.one.test", [_case(2)])
    await scene.next_change()
    assert [(1, False), (2, False)] == scene.released
    assert [] == scene.paused


async def test_many_unrelated_failures_pause_probing_and_mark_nothing() -> None:
    """When unrelated exchangers all fail and no known-good one greets us, it is us."""
    scene = _Scene()
    for index, name in enumerate(("a", "b", "c")):
        scene.breaker.failed(f"mx.{name}.test", [_case(index)])
    await scene.next_change()
    assert scene.breaker.open
    assert [True] == scene.paused
    assert [True] == scene.said
    assert [] == scene.released
    await scene.breaker.close()


async def test_a_known_good_exchanger_that_greets_us_clears_us() -> None:
    """The failures were theirs when a known-good exchanger can still be connected to."""
    scene = _Scene(canary=True)
    for index, name in enumerate(("a", "b", "c")):
        scene.breaker.failed(f"mx.{name}.test", [_case(index)])
    await scene.next_change()
    assert [(0, False), (1, False), (2, False)] == scene.released
    assert [] == scene.paused


async def test_work_goes_on_by_itself_when_the_way_out_opens() -> None:
    """An open breaker looks again and again, and closes as soon as anybody greets us."""
    scene = _Scene()
    for index, name in enumerate(("a", "b", "c")):
        scene.breaker.failed(f"mx.{name}.test", [_case(index)])
    await scene.next_change()
    scene.canary = True
    while scene.said != [True, False]:
        await scene.next_change()
    assert [True, False] == scene.paused
    assert not scene.breaker.open
    assert [(0, False), (1, False), (2, False)] == scene.released
    assert scene.tried > 0


async def test_after_all_patience_entries_end_as_our_failure() -> None:
    """What waited in vain ends as LOCAL_EGRESS_UNAVAILABLE, which says nothing about it."""
    scene = _Scene(patience_s=0.02)
    for index, name in enumerate(("a", "b", "c")):
        scene.breaker.failed(f"mx.{name}.test", [_case(index)])
    while not scene.released:
        await scene.next_change()
    assert [(0, True), (1, True), (2, True)] == scene.released
    assert scene.breaker.out_of_patience
    await scene.breaker.close()
