"""An operator that complains without an end: spared, given up in the end, and nobody else waits."""

import asyncio
import time
from pathlib import Path

from mailvet.client import connect
from mailvet.engine.visits import MAX_COMPLAINTS
from mailvet.model.status import Classification, EntryStatus, classification_of
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests.faults.rig import service_before, task_count, verify

WORLD = """
name = "storm"

[[host]]
name = "mx.storm.test"
addresses = ["127.0.96.1"]
personality = "defers_at_banner"
domains = ["storm.test"]
mailboxes = { users = 10 }

[[host]]
name = "mx.calm.test"
addresses = ["127.0.96.2"]
domains = ["calm{0..9}.test"]
mailboxes = { users = 40 }
"""
STORM = [f"user{n}@storm.test" for n in range(10)]
CALM = [f"user{n % 40}@calm{n // 40}.test" for n in range(400)]
SESSIONS = 3


async def test_a_storm_of_complaints_holds_up_nobody_else(tmp_path: Path) -> None:
    """421 at every banner: few sessions, never too many at once, UNKNOWN at last; the others are
    answered meanwhile, and no task is left."""
    settings = {"route_sessions": SESSIONS, "session_recipients": 10}
    async with (
        Testbed(parse_world(WORLD)) as bed,
        service_before(bed, tmp_path, **settings) as service,
        connect(service.address) as client,
    ):
        before = await task_count()
        storm = asyncio.ensure_future(verify(client, "storm", STORM))
        began = time.monotonic()
        assert {EntryStatus.SUCCESS} == set(await verify(client, "calm", CALM))
        took_s = time.monotonic() - began
        found = set(await storm)
        assert took_s < 5
        assert {Classification.UNKNOWN} == set(map(classification_of, found))
        # A session takes as many of them as ever: one for each, and the pauses would never end.
        assert bed.sessions.count["mx.storm.test"] <= SESSIONS * (MAX_COMPLAINTS + 1)
        assert max(bed.sessions.peak.values()) <= SESSIONS
        assert await task_count(before * 1.05) <= before * 1.05
