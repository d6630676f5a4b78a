"""The sender over a real store and a real HTTP server: calls, waits, gives up."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest

from mailvet.callbacks.post import post
from mailvet.callbacks.sender import AT_ONCE, OF_A_TENANT, WAITS_S, Sender
from mailvet.callbacks.signature import sign
from mailvet.callbacks.url import UrlRules
from mailvet.model.batch import Batch, BatchSpec
from mailvet.model.callback import Callback
from mailvet.store.memory import MemoryStore
from tests.callbacks.receiver import Receiver, listening, status
from tests.store.samples import TENANT, Clock, entries, finish, launched

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJD" * 8
TLS = ssl.create_default_context()


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="store")
def _store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock, lease_clock=clock)


@pytest.fixture(name="receiver")
async def _receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


def sender(store: MemoryStore, clock: Clock, **changes: object) -> Sender:
    """A sender to whom every name is this host."""

    async def addresses(_host: str) -> Sequence[str]:
        return ("127.0.0.1",)

    return Sender(
        store,
        **{
            "secret": bytes(32),
            "rules": UrlRules(http=True),
            "addresses": addresses,
            "post": partial(post, tls=TLS, within_s=20.0),
            "wall_clock": clock,
            "jitter": lambda: 0.0,
        }
        | changes,  # type: ignore[arg-type]
    )


async def ended(store: MemoryStore, receiver: Receiver, batch_id: str = "b1") -> Batch:
    """A batch that ended and whose end is to be told."""
    callback = Callback(f"http://hooks.example:{receiver.port}/in", (SECRET, OTHER))
    await launched(store, 3, batch_id, BatchSpec(name="spring", callback=callback))
    await finish(store)
    return await store.get_batch(TENANT, batch_id)


async def sent(sender: Sender) -> int:
    """Send what is due; return how much it was."""
    begun = await sender.begin()
    await sender.settled()
    return begun


async def test_the_end_of_a_batch_is_told_once(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """Signed with every secret, under an id of its own; then it is over."""
    await ended(store, receiver)
    calling = sender(store, clock)
    assert (1, 0) == (await sent(calling), await sent(calling))
    (heard,) = receiver.heard
    told = json.loads(heard.body)
    headers = heard.headers
    signed = sign([SECRET, OTHER], headers["webhook-id"], int(clock.now), heard.body)
    calls = (await store.get_batch(TENANT, "b1")).calls

    assert ("batch.completed", "b1", 3) == (
        told["type"],
        told["data"]["batch_id"],
        told["data"]["result_count"],
    )
    assert (str(int(clock.now)), signed) == (
        headers["webhook-timestamp"],
        headers["webhook-signature"],
    )
    assert headers["webhook-id"] == headers["idempotency-key"]
    assert "application/json" == headers["content-type"]
    assert (1, "204", True, None) == (
        calls.attempts,
        calls.outcome,
        calls.delivered,
        calls.next_time,
    )


async def test_it_is_told_again_until_it_is_heard(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """After growing waits, under the same id, signed with the time of each call."""
    await ended(store, receiver)
    calling = sender(store, clock)
    receiver.answers = [status(503), status(302, "Location: http://127.0.0.1/"), status(200)]
    waits = []
    for _ in range(3):
        assert 1 == await sent(calling)
        next_time = (await store.get_batch(TENANT, "b1")).calls.next_time
        if next_time is not None:
            waits.append(next_time - clock.now)
            assert 0 == await sent(calling)
            clock.advance(waits[-1])
    ids = {heard.headers["webhook-id"] for heard in receiver.heard}
    times = {heard.headers["webhook-timestamp"] for heard in receiver.heard}
    assert list(WAITS_S[:2]) == waits
    assert (3, 1, 3) == (len(receiver.heard), len(ids), len(times))
    assert (await store.get_batch(TENANT, "b1")).calls.delivered


async def test_it_is_given_up_after_a_day(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """As many calls as there are waits, and the first."""
    await ended(store, receiver)
    calling, start = sender(store, clock), clock.now
    receiver.answers = [status(500)] * 99
    while await sent(calling):
        calls = (await store.get_batch(TENANT, "b1")).calls
        clock.advance(0 if calls.next_time is None else calls.next_time - clock.now)
    assert len(WAITS_S) + 1 == len(receiver.heard)
    assert 24 * 3600 < clock.now - start < 26 * 3600
    assert (False, "500", None) == (calls.delivered, calls.outcome, calls.next_time)


async def test_410_ends_it_at_once(store: MemoryStore, clock: Clock, receiver: Receiver) -> None:
    """Nobody listens there any more."""
    await ended(store, receiver)
    receiver.answers = [status(410)]
    calling = sender(store, clock)
    assert 1 == await sent(calling)
    calls = (await store.get_batch(TENANT, "b1")).calls
    assert (False, "410", None) == (calls.delivered, calls.outcome, calls.next_time)


async def test_a_host_without_an_address_that_may_be_called_is_not_called(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """It may get one: the next try looks again."""
    await ended(store, receiver)

    async def nowhere(_host: str) -> Sequence[str]:
        return ()

    assert 1 == await sent(sender(store, clock, addresses=nowhere))
    calls = (await store.get_batch(TENANT, "b1")).calls
    assert (0, 1) == (receiver.connections, calls.attempts)
    assert "no address that may be called" in calls.outcome
    assert calls.next_time == clock.now + WAITS_S[0]


async def test_rules_that_became_stricter_hold_for_what_is_due(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """Nothing is called, and nobody waits for it."""
    await ended(store, receiver)
    assert 1 == await sent(sender(store, clock, rules=UrlRules()))
    calls = (await store.get_batch(TENANT, "b1")).calls
    assert (0, None) == (receiver.connections, calls.next_time)
    assert "use https" in calls.outcome


async def test_a_batch_that_is_deleted_meanwhile_is_forgotten(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """There is nothing to note."""
    await ended(store, receiver)
    calling = sender(store, clock)
    await calling.begin()
    await store.delete_batch(TENANT, "b1", force=False)
    await calling.settled()
    assert 0 == await sent(calling)


async def test_other_addresses_are_tried_on_later_calls(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """One of two is dead."""
    await ended(store, receiver)

    async def two(_host: str) -> Sequence[str]:
        return ("127.0.0.9", "127.0.0.1")

    calling = sender(store, clock, addresses=two)
    assert 1 == await sent(calling)
    assert "connection" in (await store.get_batch(TENANT, "b1")).calls.outcome
    clock.advance(WAITS_S[0])
    assert 1 == await sent(calling)
    assert 1 == len(receiver.heard)


async def test_a_tenant_whose_receivers_are_dead_holds_up_nobody_else(
    store: MemoryStore, clock: Clock, receiver: Receiver
) -> None:
    """It has a part of the calls at once; the others have the rest, though they ended later."""
    callback = Callback(f"http://hooks.example:{receiver.port}/in", (SECRET,))
    for tenant, count in (("many", 30), ("few", 1)):
        for number in range(count):
            name = f"b{number}"
            spec = BatchSpec(callback=callback)
            await store.create_batch(tenant, name, spec, entries(1), launch=True)
            await store.cancel_batch(tenant, name)
        clock.advance(1)
    called: list[str] = []
    held = asyncio.Event()

    async def hold(*_: object) -> int:
        called.append("")
        await held.wait()
        return 204

    calling = sender(store, clock, post=hold)
    assert OF_A_TENANT + 1 == await calling.begin()
    assert 0 == await calling.begin()
    held.set()
    await calling.settled()
    while await calling.begin():
        await calling.settled()
    assert 31 == len(called)
    assert [] == list(await store.due_callbacks(limit=99))


async def test_more_than_fits_at_once_is_sent_without_a_pause(
    store: MemoryStore, clock: Clock, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause would last longer than this test may."""
    monkeypatch.setattr("mailvet.callbacks.sender.LOOK_EVERY_S", 600.0)
    callback = Callback(f"http://hooks.example:{receiver.port}/in", (SECRET,))
    for number in range(3 * AT_ONCE):
        name = f"b{number}"
        await store.create_batch(f"t{number}", name, BatchSpec(callback=callback), entries(1))
        await store.cancel_batch(f"t{number}", name)
    running = asyncio.ensure_future(sender(store, clock).run())
    while await store.due_callbacks(limit=1):
        await asyncio.sleep(0.01)
    running.cancel()
    assert 3 * AT_ONCE == len({heard.headers["webhook-id"] for heard in receiver.heard})
