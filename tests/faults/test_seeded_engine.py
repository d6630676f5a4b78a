"""The worker over a memory store and a scripted network, in the order of many seeds."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from mailvet.config import load
from mailvet.errors import Unavailable
from mailvet.model.address import Address
from mailvet.model.batch import BatchSpec, Claim, Entry, ResultFilter, Settlement
from mailvet.model.reply import Observation, Reply, Stage, Trouble
from mailvet.model.route import Exchanger
from mailvet.model.status import BatchState, QualityLevel
from mailvet.rpc.plain_forms import PlainForms
from mailvet.serve import engine_room
from mailvet.smtp import Envelope, Report
from mailvet.store.memory import MemoryStore
from tests.faults.seeded_loop import run_seeded

TENANT = "t"
ENTRIES = 40
SEEDS = 5
MANY = 150
EPOCH_S = 1e9
"""Wall clock at the loop's zero."""


class Shaky(MemoryStore):
    """Refuses a claim or a settlement now and then, before or after it took effect."""

    dice: random.Random

    async def claim(self, owner: str, *, max_entries: int) -> list[Claim]:
        """Claim, or refuse before."""
        if self.dice.random() < 0.1:
            raise Unavailable("not now")
        return await super().claim(owner, max_entries=max_entries)

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Settle, or refuse before or after."""
        await asyncio.sleep(self.dice.random())
        moment = self.dice.random()
        if moment < 0.1:
            raise Unavailable("not now")
        held = await super().settle(settlements)
        if moment > 0.9:
            raise Unavailable("done, and the answer lost")
        return held


class Room(engine_room.EngineRoom):
    """The engine with dice in the place of the network."""

    dice: random.Random

    async def _dial(
        self,
        route: str,
        exchangers: Sequence[Exchanger],
        envelopes: Sequence[Envelope],
        quality: QualityLevel,
        on_line: object,
    ) -> Report:
        await asyncio.sleep(self.dice.expovariate(1))
        if self.dice.random() < 0.1:
            raise RuntimeError("a fault of ours")
        seen: dict[Address, Observation] = {}
        made_up: dict[str, Observation] = {}
        connected = self.dice.random() < 0.9
        for envelope in envelopes:
            for recipient in envelope.recipients:
                if not connected:
                    seen[recipient] = _observed(None, Stage.CONNECT)
                elif self.dice.random() < 0.9:
                    seen[recipient] = _observed(self.dice.choice([250, 250, 550, 451, 421]))
            if connected and envelope.made_up is not None and self.dice.random() < 0.8:
                made_up[envelope.domain] = _observed(550)
        report = Report()
        report.observations, report.made_up = seen, made_up
        report.connected = report.greeted = connected
        return report


def _observed(code: int | None, stage: Stage = Stage.RCPT) -> Observation:
    if code is None:
        return Observation(stage, "mx.test", "192.0.2.1", None, Trouble.TIMEOUT)
    text = {250: "ok", 550: "5.1.1 no such user"}.get(code, "4.3.0 try again later")
    return Observation(stage, "mx.test", "192.0.2.1", Reply(code, text, text[:5]), None)


async def _live(seed: int) -> None:
    loop = asyncio.get_running_loop()
    dice = random.Random(seed)

    def wall_clock() -> float:
        return EPOCH_S + loop.time()

    store = Shaky(clock=wall_clock, lease_clock=loop.time, chunk_size=7)
    store.dice = dice
    settings = load(
        {"resolver": "127.0.0.1:9", "egress_canaries": "", "allow_network": "127.0.0.0/8"}
    )
    room = Room(settings, store, PlainForms(), clock=loop.time, wall_clock=wall_clock)
    room.dice = dice
    # Literals: the way to them needs no DNS.
    names = [f"user{n}@[127.0.0.{1 + n % 5}]" for n in range(ENTRIES)]
    entries = [Entry(name, "", name.partition("@")[2], 0) for name in names]
    spec = BatchSpec(quality=QualityLevel.HIGH)
    await store.create_batch(TENANT, "b", spec, entries, launch=True)
    room.start()
    working = asyncio.ensure_future(room.worker.run())
    try:
        while (await store.get_batch(TENANT, "b")).state is not BatchState.COMPLETED:
            assert not working.done(), working.exception()
            assert loop.time() < 86_400, "a day has passed and the batch is not done"
            await asyncio.sleep(1)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await room.close()
    page = await store.results_after(TENANT, "b", 0, limit=10 * ENTRIES, where=ResultFilter())
    assert Counter(range(ENTRIES)) == Counter(row.entry_index for row in page.rows)


@pytest.mark.parametrize(
    "seeds",
    [
        range(SEEDS),
        pytest.param(range(SEEDS, MANY), marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
def test_in_whatever_order_every_entry_is_answered_once(seeds: range) -> None:
    """Sessions that fail, a store that refuses, waits that jump: one result an entry."""
    for seed in seeds:
        try:
            run_seeded(seed, _live(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
