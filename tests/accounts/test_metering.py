"""What calls that verify at once are charged, over both stores."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from mailvet.accounts.metering import REMEMBER_S, Meter
from mailvet.errors import InsufficientBalance, Unavailable
from mailvet.model.result import Result
from mailvet.model.status import EntryStatus, classification_of
from mailvet.model.usage import DAY_S, Charge, Usage
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from mailvet.store.sqlite import SqliteStore
from tests.store.samples import Clock


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock(20_000.0 * DAY_S)


@pytest.fixture(name="store", params=["memory", "sqlite"])
async def _store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore(clock=clock)
    else:
        store = await SqliteStore.open(tmp_path / "store.db", clock=clock)
    yield store
    await store.close()


def meter_of(store: Store, clock: Clock) -> Meter:
    """A meter that writes only when it is told to."""
    return Meter(store, clock=clock, wall_clock=clock, write_every_s=3_600)


def result(
    text: str, status: EntryStatus = EntryStatus.SUCCESS, *, from_cache: bool = False
) -> Result:
    """An answer."""
    return Result(
        index=0,
        input_data=text,
        status=status,
        classification=classification_of(status),
        from_cache=from_cache,
    )


async def used(store: Store, tenant: str = "acme") -> list[tuple[int, Usage]]:
    """The whole ledger of a tenant."""
    lines = await store.daily_usage(tenant, 0, 10**6, limit=100)
    return [(line.day, line.usage) for line in lines]


async def test_calls_are_charged_together(store: Store, clock: Clock) -> None:
    """By tenant and day; nothing is written before it is time."""
    meter = meter_of(store, clock)
    for tenant in ("acme", "acme", "other"):
        async with meter.call(tenant, 2) as receipt:
            receipt.answered([result("a@x.example"), result("b@x.example", from_cache=True)])
    assert [] == await used(store)
    clock.advance(DAY_S)
    async with meter.call("acme", 1) as receipt:
        receipt.answered([result("a@x.example")])
    await meter.close()

    assert [
        (20_000, Usage(verified=2, cached=2, halves=6)),
        (20_001, Usage(verified=1, halves=2)),
    ] == await used(store)
    assert [(20_000, Usage(verified=1, cached=1, halves=3))] == await used(store, "other")


async def test_the_same_input_is_charged_once(store: Store, clock: Clock) -> None:
    """It was asked once; its repetitions are free, as duplicates of a batch are."""
    meter = meter_of(store, clock)
    async with meter.call("acme", 1) as receipt:
        receipt.answered([result("a@x.example"), result("a@x.example")])
    await meter.close()

    assert [(20_000, Usage(verified=1, free=1, halves=2))] == await used(store)


async def test_a_call_that_fails_costs_nothing(store: Store, clock: Clock) -> None:
    """Nor does one that is given up, limited or not; what was reserved is given back."""
    await store.set_balance("limited", limited=True, add_halves=2)
    meter = meter_of(store, clock)
    for tenant in ("acme", "limited"):
        for error in (RuntimeError, asyncio.CancelledError):
            with pytest.raises(error):
                async with meter.call(tenant, 1):
                    raise error
    await meter.close()

    assert [] == await used(store)
    assert [] == await used(store, "limited")
    assert 2 == (await store.get_balance("limited")).available_halves


async def test_a_limited_tenant_is_charged_before_its_answer(store: Store, clock: Clock) -> None:
    """The most is reserved while it runs, what it did not cost is given back."""
    await store.set_balance("acme", limited=True, add_halves=7)
    meter = meter_of(store, clock)
    async with meter.call("acme", 3) as receipt:
        assert 1 == (await store.get_balance("acme")).available_halves
        with pytest.raises(InsufficientBalance):
            async with meter.call("acme", 1):
                raise AssertionError("let in")
        receipt.answered([result("a@x.example"), result("b@x.example", from_cache=True)])

    assert [(20_000, Usage(verified=1, cached=1, halves=3))] == await used(store)
    assert 4 == (await store.get_balance("acme")).available_halves


async def test_a_new_limit_holds_soon(store: Store, clock: Clock) -> None:
    """A tenant that had none is looked up again after a few seconds."""
    meter = meter_of(store, clock)
    async with meter.call("acme", 1):
        pass
    await store.set_balance("acme", limited=True)
    clock.advance(REMEMBER_S)
    with pytest.raises(InsufficientBalance):
        async with meter.call("acme", 1):
            raise AssertionError("let in")
    await meter.close()


@pytest.mark.parametrize("limited", [False, True])
async def test_charges_that_are_refused_are_kept(clock: Clock, limited: bool) -> None:
    """While the disk is full they are collected, and written once it is not; the answer is out."""

    class Full(MemoryStore):
        full = True

        async def charge(self, charges: Sequence[Charge]) -> None:
            if self.full:
                raise Unavailable("the disk is full")
            await super().charge(charges)

    store = Full(clock=clock)
    if limited:
        await store.set_balance("acme", limited=True, add_halves=8)
    meter = meter_of(store, clock)
    async with meter.call("acme", 2) as receipt:
        receipt.answered([result("a@x.example")])
    await meter.flush()
    assert [] == await used(store)
    store.full = False
    await meter.close()

    assert [(20_000, Usage(verified=1, halves=2))] == await used(store)
    assert (6 if limited else 0) == (await store.get_balance("acme")).available_halves


async def test_charges_are_written_by_themselves(clock: Clock) -> None:
    """Soon after the first of them."""
    store = MemoryStore(clock=clock)
    meter = Meter(store, clock=clock, wall_clock=clock, write_every_s=0.0)
    async with meter.call("acme", 1) as receipt:
        receipt.answered([result("a@x.example")])
    while not await used(store):
        await asyncio.sleep(0)
    await meter.close()

    assert [(20_000, Usage(verified=1, halves=2))] == await used(store)
