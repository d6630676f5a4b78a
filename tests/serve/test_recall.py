"""Answers that are reused, through a whole service in front of real mail hosts on loopback."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_pb2, result_service_pb2, status_pb2
from mailvet.v1 import verification_service_pb2 as pb

WORLD = """
name = "recall"

[[host]]
name = "mx.plain.test"
addresses = ["127.0.83.1"]
domains = ["plain.test"]
mailboxes = { users = 60 }
"""


@pytest.fixture(name="opened")
async def _opened(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Testbed, Client]]:
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
            "processes": getattr(request, "param", 0),
        }
        async with (
            Service(load(settings)) as service,
            connect(service.address) as client,
        ):
            yield bed, client


async def _verify(
    client: Client, address: str, max_age_s: int = 0, max_shared_age_s: int = 0
) -> result_pb2.Result:
    request = pb.VerifyEmailRequest(input_data=address, view=result_pb2.RESULT_VIEW_EVIDENCE)
    request.max_age.FromSeconds(max_age_s)
    request.max_shared_age.FromSeconds(max_shared_age_s)
    answer: Any = await client.call(client.verification.VerifyEmail, request)
    result: result_pb2.Result = answer.result
    return result


async def _batch(
    client: Client, count: int, max_age_s: int, batch_id: str = "", max_shared_age_s: int = 0
) -> list[result_pb2.Result]:
    entries = [batch_pb2.Entry(input_data=f"user{n}@plain.test") for n in range(count)]
    request = batch_service_pb2.CreateBatchRequest(batch_id=batch_id, entries=entries, launch=True)
    request.max_age.FromSeconds(max_age_s)
    request.max_shared_age.FromSeconds(max_shared_age_s)
    batch = await client.create_batch(request)
    asked = result_service_pb2.StreamResultsRequest(batch_id=batch.batch_id)
    return [result async for frame in client.stream_results(asked) for result in frame.results]


@pytest.mark.parametrize("name", ["user1", "nobody"])
async def test_an_answer_is_reused(opened: tuple[Testbed, Client], name: str) -> None:
    """It says the same as before, where it is from and how old it is, and nobody is asked."""
    bed, client = opened
    first = await _verify(client, f"{name}@plain.test", 60)
    sessions = bed.sessions.count["mx.plain.test"]
    again = await _verify(client, f"{name}@plain.test", 60)

    assert sessions == bed.sessions.count["mx.plain.test"]
    assert (False, True) == (first.from_cache, again.from_cache)
    assert again.HasField("cache_age")
    assert first.status == again.status
    assert name == "user1" or status_pb2.ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST == again.status
    for field in ("classification", "risk_score", "is_catch_all", "mx_hosts", "attempts"):
        assert getattr(first, field) == getattr(again, field)
    assert abs(first.complete_time.ToMilliseconds() - again.complete_time.ToMilliseconds()) < 1000


async def test_without_an_age_everybody_is_asked(opened: tuple[Testbed, Client]) -> None:
    """A cache that is not asked for answers nothing."""
    bed, client = opened
    await _verify(client, "user1@plain.test", 60)
    sessions = bed.sessions.count["mx.plain.test"]
    again = await _verify(client, "user1@plain.test")

    assert not again.from_cache
    assert sessions + 1 == bed.sessions.count["mx.plain.test"]


async def test_a_batch_reuses_what_the_one_before_learnt(opened: tuple[Testbed, Client]) -> None:
    """Both ask for it; what is new is asked, what is known is not."""
    bed, client = opened
    await _batch(client, 10, 60)
    sessions = bed.sessions.count["mx.plain.test"]
    known = await _batch(client, 10, 60)
    assert sessions == bed.sessions.count["mx.plain.test"]
    more = await _batch(client, 12, 60)

    assert [True] * 10 == [result.from_cache for result in known]
    assert ["user10@plain.test", "user11@plain.test"] == sorted(
        result.input_data for result in more if not result.from_cache
    )


async def test_a_batch_that_does_not_ask_is_verified(opened: tuple[Testbed, Client]) -> None:
    """It neither reads nor fills what others reuse."""
    _, client = opened
    await _batch(client, 3, 0)
    unknown = await _batch(client, 3, 60)
    asked = await _batch(client, 3, 0)

    assert [False] * 6 == [result.from_cache for result in unknown + asked]


async def test_a_batch_that_shares_reads_what_was_shared(opened: tuple[Testbed, Client]) -> None:
    """Sharing alone is enough, and says so in the answer; the batch shows what it asked for."""
    bed, client = opened
    await _batch(client, 3, 0, max_shared_age_s=3600)
    sessions = bed.sessions.count["mx.plain.test"]
    again = await _batch(client, 3, 0, "b2", max_shared_age_s=3600)
    request = batch_service_pb2.GetBatchRequest(batch_id="b2")
    answer: Any = await client.call(client.batches.GetBatch, request)

    assert sessions == bed.sessions.count["mx.plain.test"]
    assert [True] * 3 == [result.from_cache for result in again]
    assert (3600, 0) == (answer.batch.max_shared_age.seconds, answer.batch.max_age.seconds)


async def test_calls_and_batches_share(opened: tuple[Testbed, Client]) -> None:
    """A call shares when it asks for shared answers, and gets those of batches; it says so."""
    bed, client = opened
    await _verify(client, "user0@plain.test", 60)
    (asked,) = await _batch(client, 1, 0, max_shared_age_s=60)
    sessions = bed.sessions.count["mx.plain.test"]
    reused = await _verify(client, "user0@plain.test", max_shared_age_s=60)
    stranger = await _verify(client, "user1@plain.test", max_shared_age_s=60)
    batch = await _batch(client, 2, 0, max_shared_age_s=60)

    assert sessions + 1 == bed.sessions.count["mx.plain.test"]
    assert (False, False) == (asked.from_cache, stranger.from_cache)
    assert reused.from_cache
    assert reused.HasField("cache_age")
    assert [True, True] == [result.from_cache for result in batch]


@pytest.mark.parametrize(
    "opened",
    [0, pytest.param(1, marks=pytest.mark.slow)],
    indirect=True,
    ids=["alone", "a probing process"],
)
@pytest.mark.parametrize("forget", [True, False])
async def test_answers_are_forgotten_with_their_batch(
    opened: tuple[Testbed, Client], *, forget: bool
) -> None:
    """When that is asked for; else they serve the next one."""
    _, client = opened
    await _batch(client, 3, 60, "b1", max_shared_age_s=60)
    delete = batch_service_pb2.DeleteBatchRequest(batch_id="b1", forget_answers=forget)
    await client.call(client.batches.DeleteBatch, delete)
    again = await _batch(client, 3, 60, max_shared_age_s=60)

    assert [not forget] * 3 == [result.from_cache for result in again]


async def test_nothing_is_remembered_where_there_is_no_room(tmp_path: Path) -> None:
    """`remembered_answers` is how many mailboxes there is room for."""
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
            "remembered_answers": 0,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            await _verify(client, "user1@plain.test", 60)
            assert not (await _verify(client, "user1@plain.test", 60)).from_cache
