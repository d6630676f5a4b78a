"""PrepareBatch, SummarizeResults, ReverifyResults and GetResult by key, over the wire."""

from typing import Any

import grpc
import pytest

from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as batch_service_pb
from mailvet.v1 import result_service_pb2 as pb
from mailvet.v1 import status_pb2
from tests.batches.engine import every_third_missing, work
from tests.rpc.world import World, told

LIST = (
    "annabel@gmail.com",
    "anna.bel@gmail.com",
    "Annabel+x@gmail.com",
    "annabel@gmail.com",
    "@@",
    "@@",
    "b@c.test",
)
MISSING = pb.ResultFilter(classifications=[status_pb2.CLASSIFICATION_UNDELIVERABLE])


async def prepared(world: World, mode: str, **fields: Any) -> tuple[int, ...]:
    """Prepare batch "b"; return entries, unique, duplicates, wrong and cost."""
    request = batch_service_pb.PrepareBatchRequest(
        batch_id="b",
        deduplication=batch_pb.Deduplication.Value(f"DEDUPLICATION_{mode}"),
        **fields,
    )
    found = await world.batches.PrepareBatch(request)
    assert found.entry_count == found.batch.entry_count
    return (
        found.entry_count,
        found.unique_count,
        found.duplicate_count,
        found.wrong_format_count,
        found.cost_units,
    )


async def fill(world: World) -> None:
    """A draft of the list."""
    entries = [batch_pb.Entry(input_data=text, custom=f"c{n}") for n, text in enumerate(LIST)]
    await world.batches.CreateBatch(
        batch_service_pb.CreateBatchRequest(batch_id="b", entries=entries)
    )


async def test_a_draft_is_prepared_with_changed_settings(world: World) -> None:
    """Again and again; all entries are unique, duplicates or wrong, and the unique ones cost."""
    await fill(world)
    assert (7, 2, 4, 1, 2) == await prepared(world, "RELAXED")
    assert (7, 5, 0, 2, 5) == await prepared(world, "OFF")
    high = status_pb2.QUALITY_LEVEL_HIGH
    safe = await prepared(world, "SAFE", quality=high)
    assert safe == await prepared(world, "UNSPECIFIED")
    assert (7, 1, 2 * safe[1]) == (safe[1] + safe[2] + safe[3], safe[3], safe[4])


async def test_what_was_counted_is_what_is_worked_on(world: World) -> None:
    """The launched batch has as many duplicates, and the last one of them is kept when asked."""
    await fill(world)
    last = batch_pb.DUPLICATE_KEEP_LAST
    counts = await prepared(world, "RELAXED", duplicate_keep=last)
    await world.batches.LaunchBatch(batch_service_pb.LaunchBatchRequest(batch_id="b"))
    await world.store.plan_launched()
    work_ = [one for c in await world.store.claim("w", max_entries=99) for one in c.entries]
    originals = [one.duplicate_of for one in work_ if one.duplicate_of is not None]
    assert (counts[2], {3, 5}) == (len(originals), set(originals))


async def test_only_a_draft_is_prepared(world: World) -> None:
    """Work that has begun is not changed under its feet."""
    await world.create("b", 1, launch=True)
    for mode in ("SAFE", "UNSPECIFIED"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await prepared(world, mode)
        assert "WRONG_STATE" == told(caught.value).info.reason


async def test_results_are_counted(world: World) -> None:
    """By classification and status; a filter holds for all counts."""
    await world.create("b", 30, launch=True)
    await work(world.store, choose=every_third_missing)
    whole = await world.results.SummarizeResults(pb.SummarizeResultsRequest(batch_id="b"))
    some = await world.results.SummarizeResults(
        pb.SummarizeResultsRequest(batch_id="b", filter=MISSING)
    )
    assert (30, [20, 10]) == (whole.result_count, [one.count for one in whole.classifications])
    assert [(status_pb2.ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST, 10)] == [
        (one.status, one.count) for one in some.statuses
    ]
    assert 10 == some.result_count


async def test_some_results_are_verified_again(world: World) -> None:
    """In their old order, with the old settings and a higher quality; repeating makes no second."""
    await world.create("b", 30, launch=True, name="spring", labels={"a": "b"})
    await work(world.store, choose=every_third_missing)
    request = pb.ReverifyResultsRequest(
        batch_id="b", filter=MISSING, new_batch_id="again", launch=True, request_id="r1"
    )
    again = (await world.results.ReverifyResults(request)).batch
    repeated = (await world.results.ReverifyResults(request)).batch
    await work(world.store)
    listed = await world.results.ListResults(pb.ListResultsRequest(batch_id="again"))
    assert ("again", 10, "spring", {"a": "b"}, status_pb2.QUALITY_LEVEL_HIGH) == (
        again.batch_id,
        again.entry_count,
        again.name,
        dict(again.labels),
        again.quality,
    )
    assert (again.batch_id, 10) == (repeated.batch_id, repeated.entry_count)
    by_index = sorted(listed.results, key=lambda result: result.index)
    assert [f"u{n}@example.org" for n in range(0, 30, 3)] == [one.input_data for one in by_index]


@pytest.mark.parametrize(
    ("state", "reason"), [("running", "WRONG_STATE"), ("without", "INVALID_REQUEST")]
)
async def test_nothing_is_verified_again_where_there_is_nothing(
    world: World, state: str, reason: str
) -> None:
    """While the batch runs, and when no result passes; no batch is made."""
    await world.create("b", 2, launch=True)
    if state == "without":
        await work(world.store)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.results.ReverifyResults(pb.ReverifyResultsRequest(batch_id="b", filter=MISSING))
    listed = await world.batches.ListBatches(batch_service_pb.ListBatchesRequest())
    assert (reason, 1) == (told(caught.value).info.reason, len(listed.batches))


async def test_a_result_is_found_by_the_callers_own_key(world: World) -> None:
    """The key stands in place of the index, not beside it."""
    await fill(world)
    found = await world.results.GetResult(pb.GetResultRequest(batch_id="b", custom="c6"))
    assert pb.ENTRY_STATE_PENDING == found.state
    for request, reason in (
        (pb.GetResultRequest(batch_id="b", custom="none"), "NOT_FOUND"),
        (pb.GetResultRequest(batch_id="b", custom="c6", index=6), "INVALID_REQUEST"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.results.GetResult(request)
        assert reason == told(caught.value).info.reason
