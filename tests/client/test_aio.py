"""Calls and streams of the client, against a server that answers as told."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.client import ServiceError
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_pb2,
    result_service_pb2,
)
from tests.client.scripted import Answer, refuse, scripted

Frame = result_service_pb2.StreamResultsResponse
Watched = batch_service_pb2.WatchBatchResponse
ASKED = result_service_pb2.StreamResultsRequest(batch_id="b", view=result_pb2.RESULT_VIEW_BASIC)


def unavailable(retry_after_s: float | None = None) -> Answer:
    """Refuse the call, asking to come back."""

    async def answer(requests: Any, context: Any) -> None:
        code = grpc.StatusCode.UNAVAILABLE
        await refuse(context, code, "UNAVAILABLE", "not now", retry_after_s)

    return answer


def told(*messages: Any, seen: list[Any] | None = None) -> Answer:
    """Answer with these messages, and note the first request."""

    async def answer(requests: Any, context: Any) -> None:
        async for request in requests:
            if seen is not None:
                seen.append(request)
            break
        for message in messages:
            await context.write(message)

    return answer


def cut(*messages: Any, seen: list[Any] | None = None) -> Answer:
    """As `told`, but the stream breaks after them."""
    first = told(*messages, seen=seen)

    async def answer(requests: Any, context: Any) -> None:
        await first(requests, context)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")

    return answer


def frame(*indexes: int, **fields: Any) -> Frame:
    """A frame of results with a cursor that names the last of them."""
    results = [result_pb2.Result(index=index) for index in indexes]
    cursor = f"c{indexes[-1]}" if indexes else ""
    return Frame(results=results, **{"cursor": cursor} | fields)


async def test_a_call_is_made_again_while_the_server_is_unavailable() -> None:
    """Two refusals pass unseen; the key travels with every call."""
    keys: list[str] = []

    async def at_last(requests: Any, context: Any) -> None:
        keys.append(dict(context.invocation_metadata())["x-api-key"])
        await context.write(catalog_service_pb2.GetServerInfoResponse(version="1"))

    async with scripted(GetServerInfo=[unavailable(), unavailable(0.05), at_last]) as (client, _):
        request = catalog_service_pb2.GetServerInfoRequest()
        info = await client.call(client.catalog.GetServerInfo, request)
    assert ("1", ["mv_key"]) == (info.version, keys)


async def test_a_call_without_patience_fails_at_once() -> None:
    """`patience_s=0` is for those who look whether anybody is there."""
    async with scripted(GetServerInfo=[unavailable()]) as (client, _):
        request = catalog_service_pb2.GetServerInfoRequest()
        with pytest.raises(ServiceError, match="UNAVAILABLE: not now"):
            await client.call(client.catalog.GetServerInfo, request, patience_s=0)


async def test_create_batch_is_safe_to_repeat() -> None:
    """Every try carries the same request_id, which the caller need not think of."""
    seen: list[Any] = []
    made = batch_service_pb2.CreateBatchResponse(batch=batch_pb2.Batch(batch_id="b"))
    request = batch_service_pb2.CreateBatchRequest(name="n")
    async with scripted(CreateBatch=[cut(seen=seen), told(made, seen=seen)]) as (client, _):
        batch = await client.create_batch(request)
    first, second = (one.request_id for one in seen)
    assert ("b", True, "") == (batch.batch_id, first == second != "", request.request_id)


async def test_results_go_on_after_the_last_frame_that_was_taken() -> None:
    """A cut and a drain leave no gap and no repeat; the caller's request stays as it was."""
    seen: list[Any] = []
    away = Frame(going_away=batch_pb2.GoingAway(retry_delay=Duration(nanos=1_000_000)))
    script = [
        cut(frame(0, 1), frame(2), seen=seen),
        told(frame(3), away, seen=seen),
        unavailable(),
        told(frame(), frame(4, done=True), seen=seen),
    ]
    request = result_service_pb2.StreamResultsRequest()
    request.CopyFrom(ASKED)
    async with scripted(StreamResults=script) as (client, _):
        indexes = [r.index async for f in client.stream_results(request) for r in f.results]
    assert [0, 1, 2, 3, 4] == indexes
    assert ["", "c2", "c3"] == [one.cursor for one in seen]
    assert {ASKED.view} == {one.view for one in seen}
    assert request == ASKED


async def test_results_that_are_not_followed_end_when_caught_up() -> None:
    """`follow=False` reads what is there: the end of the stream is the end."""
    request = result_service_pb2.StreamResultsRequest(batch_id="b", follow=False)
    script = [told(frame(0, caught_up=True)), unavailable()]
    async with scripted(StreamResults=script) as (client, _):
        frames = [one async for one in client.stream_results(request)]
    assert 1 == len(frames)


async def test_a_refusal_in_a_stream_is_raised() -> None:
    """What waiting does not help ends the stream with its reason."""

    async def refused(requests: Any, context: Any) -> None:
        await refuse(context, grpc.StatusCode.ABORTED, "CURSOR_EPOCH_PASSED", "restored")

    async with scripted(StreamResults=[cut(frame(0)), refused]) as (client, _):
        frames = client.stream_results(ASKED)
        assert "c0" == (await anext(frames)).cursor
        with pytest.raises(ServiceError) as caught:
            await anext(frames)
    assert "CURSOR_EPOCH_PASSED" == caught.value.reason


async def test_a_stream_gives_up_when_patience_ends() -> None:
    """A server that stays away is told to the caller."""
    async with scripted(0.3, StreamResults=[cut(frame(0)), unavailable()]) as (client, _):
        frames = client.stream_results(ASKED)
        await anext(frames)
        with pytest.raises(ServiceError) as caught:
            await anext(frames)
    assert grpc.StatusCode.UNAVAILABLE is caught.value.code


async def test_leaving_a_stream_early_ends_the_call() -> None:
    """`aclose` cancels the call at once: the server stops working for nobody."""
    ended = asyncio.Event()

    async def endless(requests: Any, context: Any) -> None:
        context.add_done_callback(lambda _done: ended.set())
        while True:
            await context.write(frame(0))

    async with scripted(StreamResults=[endless]) as (client, _):
        frames = client.stream_results(ASKED)
        await anext(frames)
        await frames.aclose()
        await asyncio.wait_for(ended.wait(), 5)


async def test_a_watch_is_opened_again() -> None:
    """Progress goes on to the end over a cut and a drain."""
    away = Watched(going_away=batch_pb2.GoingAway(retry_delay=Duration(nanos=1_000_000)))
    script = [
        cut(Watched(progress=batch_pb2.Progress(result_count=1))),
        told(Watched(progress=batch_pb2.Progress(result_count=2)), away),
        told(Watched(progress=batch_pb2.Progress(result_count=3), done=True)),
    ]
    async with scripted(WatchBatch=script) as (client, _):
        counts = [one.progress.result_count async for one in client.watch("b")]
    assert [1, 2, 3] == counts
