"""Retention as callers set it, and the sweeper."""

from mailvet.batches.retention import Sweeper, settled
from mailvet.errors import Unavailable
from mailvet.model.batch import BatchSpec
from mailvet.model.keeping import DataPolicy
from mailvet.store.base import Store
from mailvet.store.memory import MemoryStore
from tests.batches.engine import work
from tests.store.samples import Clock, entries


class FullStore(MemoryStore):
    """A store that cannot work now."""

    async def sweep(self) -> int:
        raise Unavailable("the disk is full")


async def test_a_batch_may_say_its_own_retention(store: Store) -> None:
    """What the batch says comes before what its tenant has set, and that before the default."""
    assert 2_592_000 == (await settled(store, "acme", BatchSpec(), None)).retention_s
    await store.put_data_policy("acme", DataPolicy(retention_s=900))
    assert 900 == (await settled(store, "acme", BatchSpec(), None)).retention_s
    assert 600 == (await settled(store, "acme", BatchSpec(), 600)).retention_s


async def test_a_sweeper_erases_what_is_due() -> None:
    """Not before."""
    clock = Clock()
    store = MemoryStore(clock=clock)
    spec = BatchSpec(retention_s=300)
    await store.create_batch("acme", "b", spec, entries(3), launch=True)
    await work(store)
    assert 0 == await Sweeper(store).sweep()
    clock.advance(300)
    assert 1 == await Sweeper(store).sweep()


async def test_a_store_that_cannot_is_asked_again() -> None:
    """A full disk does not end the sweeper."""
    assert 0 == await Sweeper(FullStore()).sweep()


async def test_a_clock_that_jumps_ahead_erases_nothing() -> None:
    """An hour is left to set it back; if it stays, what is due then is erased."""
    wall, passed = Clock(), Clock()
    store = MemoryStore(clock=wall)
    sweeper = Sweeper(store, clock=passed, wall_clock=wall)
    await store.create_batch("acme", "b", BatchSpec(retention_s=86_400), entries(3), launch=True)
    await work(store)
    wall.advance(40 * 86_400)
    assert 0 == await sweeper.sweep()
    for clock in (wall, passed):
        clock.advance(1800)
    assert 0 == await sweeper.sweep()
    for clock in (wall, passed):
        clock.advance(1800)
    assert 1 == await sweeper.sweep()


async def test_a_clock_that_was_set_back_again_has_erased_nothing() -> None:
    """What is not due by the right clock is kept, and sweeping goes on."""
    wall, passed = Clock(), Clock()
    store = MemoryStore(clock=wall)
    sweeper = Sweeper(store, clock=passed, wall_clock=wall)
    await store.create_batch("acme", "b", BatchSpec(retention_s=86_400), entries(3), launch=True)
    await work(store)
    wall.advance(40 * 86_400)
    assert 0 == await sweeper.sweep()
    wall.advance(-40 * 86_400)
    assert 0 == await sweeper.sweep()
    for clock in (wall, passed):
        clock.advance(3000)
        assert 0 == await sweeper.sweep()
    wall.advance(86_400 - 3000)
    passed.advance(86_400 - 3000)
    assert 1 == await sweeper.sweep()
