"""Usage, balance and own limits over the wire."""

from typing import Any

import grpc
import pytest

from mailvet.model.admission import AdmissionLimits
from mailvet.model.usage import Charge, Usage
from mailvet.store.base import Store
from mailvet.v1 import account_service_pb2 as account_pb
from mailvet.v1 import batch_pb2, status_pb2, usage_pb2, verification_service_pb2
from mailvet.v1 import own_limits_pb2 as limits_pb
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.test_tenants import key_of
from tests.rpc.world import World, told
from tests.store.samples import Clock

TENANT = "default"


def days_of(reply: usage_pb2.ListDailyUsageResponse) -> list[tuple[str, float]]:
    """Dates and units of a page."""
    return [(line.date, line.units) for line in reply.days]


async def test_batches_and_calls_are_in_one_ledger(world: World) -> None:
    """Calls that have just ended too: nobody reads an old ledger after his own call."""
    await world.create("b", 3, launch=True)
    await work(world.store)
    await world.verification.VerifyEmail(
        verification_service_pb2.VerifyEmailRequest(input_data="a@example.org")
    )
    reply = await world.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest())
    (line,) = reply.days

    assert (4, 0, 0, 0, 4.0, 0.0) == (
        line.verified_count,
        line.cached_count,
        line.free_count,
        line.unanswered_count,
        line.units,
        line.pack_units,
    )


async def test_every_kind_of_verification_is_charged(world: World) -> None:
    """Many at once, in a stream, explained; what is alike in one call once."""
    texts = ("a@x.example", "b@x.example", "a@x.example")
    entries = [batch_pb2.Entry(input_data=text) for text in texts]
    many = verification_service_pb2.VerifyEmailsRequest(entries=entries)
    await world.call("VerificationService/VerifyEmails", many)
    one = verification_service_pb2.VerifyStreamRequest(id="1", input_data="c@x.example")
    await world.call("VerificationService/VerifyStream", one)
    why = verification_service_pb2.ExplainEmailRequest(input_data="d@x.example")
    await world.call("VerificationService/ExplainEmail", why)
    reply = await world.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest())

    assert [(4, 1, 4.0)] == [(day.verified_count, day.free_count, day.units) for day in reply.days]


async def test_the_ledger_comes_in_pages(world: World) -> None:
    """Each once, the earliest first, between the dates that were given."""
    await world.store.charge(
        [Charge(TENANT, 20_000 + day, Usage(verified=1, halves=day + 1)) for day in range(5)]
    )
    asked: dict[str, Any] = {"first_date": "2024-10-05", "last_date": "2024-10-07", "page_size": 2}
    first = await world.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest(**asked))
    second = await world.accounts.ListDailyUsage(
        usage_pb2.ListDailyUsageRequest(**asked, page_token=first.next_page_token)
    )

    assert [("2024-10-05", 1.0), ("2024-10-06", 1.5)] == days_of(first)
    assert ([("2024-10-07", 2.0)], "") == (days_of(second), second.next_page_token)


async def test_a_page_token_serves_its_request_only(world: World) -> None:
    """With other dates, or with any bit of it changed, it is refused."""
    await world.store.charge([Charge(TENANT, 20_000 + n, Usage(halves=1)) for n in range(3)])
    asked: dict[str, Any] = {"first_date": "2024-10-01", "last_date": "2024-10-09", "page_size": 1}
    page = await world.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest(**asked))
    token = page.next_page_token
    spoilt = [token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :] for place in (0, 30)]
    for wrong in (
        {"page_token": token, "page_size": 1},
        *({**asked, "page_token": t} for t in spoilt),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest(**wrong))
        assert ("INVALID_ARGUMENT", "BAD_PAGE_TOKEN") == (
            told(caught.value).code,
            told(caught.value).info.reason,
        )


async def test_an_estimate_is_what_the_launch_reserves(world: World) -> None:
    """Of a batch and of so many entries; it says what is missing, and reserves nothing."""
    await world.store.set_balance(TENANT, limited=True, add_halves=15)
    batch = await world.create("b", 4, quality=status_pb2.QUALITY_LEVEL_HIGH)
    assert batch_pb2.BATCH_STATE_DRAFT == batch.state
    of_batch = await world.accounts.EstimateCost(usage_pb2.EstimateCostRequest(batch_id="b"))
    cheaper = await world.accounts.EstimateCost(
        usage_pb2.EstimateCostRequest(batch_id="b", quality=status_pb2.QUALITY_LEVEL_STANDARD)
    )
    of_many = await world.accounts.EstimateCost(usage_pb2.EstimateCostRequest(entry_count=7))

    assert (8.0, 4, False, 0.5) == (
        of_batch.max_units,
        of_batch.billable_count,
        of_batch.affordable,
        of_batch.missing_units,
    )
    assert (4.0, True) == (cheaper.max_units, cheaper.affordable)
    assert (7.0, 7, True, 0.0) == (
        of_many.max_units,
        of_many.billable_count,
        of_many.affordable,
        of_many.missing_units,
    )
    balance = (await world.accounts.GetBalance(usage_pb2.GetBalanceRequest())).balance
    assert (7.5, 0.0) == (balance.available_units, balance.reserved_units)


async def test_a_balance_says_what_it_is_made_of(world: World) -> None:
    """Unlimited at first; then the pack, the free units, and what a running batch may cost."""
    assert not (await world.accounts.GetBalance(usage_pb2.GetBalanceRequest())).balance.limited
    await world.store.set_balance(TENANT, limited=True, add_halves=9, daily_free_halves=4)
    await world.create("b", 2, launch=True)
    balance = (await world.accounts.GetBalance(usage_pb2.GetBalanceRequest())).balance

    assert (
        usage_pb2.Balance(
            limited=True,
            available_units=4.5,
            pack_units=4.5,
            daily_free_units=2.0,
            free_units_left=2.0,
            reserved_units=2.0,
        )
        == balance
    )


async def limits_of(world: World) -> dict[str, tuple[int, int]]:
    """Every limit and what of it is used."""
    reply = await world.accounts.GetOwnLimits(limits_pb.GetOwnLimitsRequest())
    return {one.subject: (one.limit, one.used) for one in reply.limits}


async def test_own_limits_say_what_is_used(open_world: OpenWorld, store: Store) -> None:
    """Of the key, of the tenant, of one call."""
    clock = Clock()
    world = await open_world(require_keys=True, metadata=await key_of(store, "me"), clock=clock)
    await world.create("b", 2)
    found = await limits_of(world)

    assert ((6, 0), (15, 2), (1_000, 0), (10_000, 1)) == (
        found["requests_per_second"],
        found["request_burst"],
        found["open_streams"],
        found["batches_per_tenant"],
    )
    assert found["storage_bytes_per_tenant"][1] == await store.stored_bytes("me")


async def test_a_key_is_held_to_its_rate(open_world: OpenWorld, store: Store) -> None:
    """What is too much is refused with the time to come back; verifications are not counted."""
    clock = Clock()
    world = await open_world(
        require_keys=True,
        metadata=await key_of(store, "me"),
        clock=clock,
        admission=AdmissionLimits(request_rate=2, request_burst=3),
    )
    for _ in range(3):
        await world.accounts.GetRules(account_pb.GetRulesRequest())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.accounts.GetRules(account_pb.GetRulesRequest())
    found = told(caught.value)
    assert ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "requests_per_second") == (
        found.code,
        found.info.reason,
        found.info.metadata["subject"],
    )
    assert ["QuotaFailure", "RetryInfo"] == list(found.details)
    assert 500_000_000 == found.details["RetryInfo"].retry_delay.nanos
    for _ in range(20):
        await world.verification.VerifyEmail(
            verification_service_pb2.VerifyEmailRequest(input_data="a@example.org")
        )
    clock.advance(0.5)
    await world.accounts.GetRules(account_pb.GetRulesRequest())


async def test_callers_without_a_key_are_not_held_to_a_rate(open_world: OpenWorld) -> None:
    """There they are all the same tenant, and trusted."""
    world = await open_world(clock=Clock())
    for _ in range(30):
        await world.accounts.GetRules(account_pb.GetRulesRequest())
    assert (0, 0) == (await limits_of(world))["request_burst"]


async def test_ledgers_are_told_apart(open_world: OpenWorld, store: Store) -> None:
    """Nobody sees what another tenant uses or may spend."""
    mine = await open_world(require_keys=True, metadata=await key_of(store, "me"))
    other = await open_world(require_keys=True, metadata=await key_of(store, "other"))
    await mine.create("b", 2, launch=True)
    await work(store)
    await store.set_balance("me", limited=True, add_halves=2)
    assert 1 == len((await mine.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest())).days)

    assert not (await other.accounts.ListDailyUsage(usage_pb2.ListDailyUsageRequest())).days
    assert not (await other.accounts.GetBalance(usage_pb2.GetBalanceRequest())).balance.limited
