"""The one loop that serves everybody: no caller can hold it with what it sends."""

import asyncio
import itertools
import time
from pathlib import Path

from mailvet.client import connect
from mailvet.model.status import EntryStatus
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests.faults.rig import service_before, verify

WORLD = """
name = "quiet"

[[host]]
name = "mx.quiet.test"
addresses = ["127.0.97.1"]
domains = ["quiet.test"]
"""
LENGTH = 8_000
"""Long for an address, whose limit is 254, and short enough that some hundred fit one frame."""
PIECES = (
    "(",
    '"',
    "\\",
    "@",
    ".",
    "a@",
    "a.",
    "[",
    "<",
    "é",
    "\u0301",
    "xn--",
    " \t",
    "a@b.c,",
    "١",
)
HELD_S = 0.25
"""Processor time of the loop's thread between two ticks; a busy machine does not count."""


class Ticks:
    """Turns up again and again, and notes how much the loop's thread worked in between."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def go_on(self) -> None:
        """Tick until cancelled."""
        last = time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            self.longest_s = max(self.longest_s, now - last)
            last = now


async def test_hostile_entries_do_not_hold_the_loop(tmp_path: Path) -> None:
    """Texts of thousands of brackets, quotes, dots and accents are refused, some at a time."""
    texts = ["".join(itertools.islice(itertools.cycle(piece), LENGTH)) for piece in PIECES]
    async with (
        Testbed(parse_world(WORLD)) as bed,
        service_before(bed, tmp_path) as service,
        connect(service.address) as client,
    ):
        ticks = Ticks()
        ticking = asyncio.create_task(ticks.go_on())
        found = await verify(client, "b", texts * 10)
        ticking.cancel()
        assert EntryStatus.SUCCESS not in found
        assert ticks.longest_s < HELD_S
