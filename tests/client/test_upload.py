"""Uploads that are cut, resumed, refused, and never larger in memory than what is in flight."""

import asyncio
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from mailvet.client import ServiceError
from mailvet.client.upload import FRAME_ENTRIES, IN_FLIGHT_FRAMES
from mailvet.v1 import batch_pb2, batch_service_pb2
from tests.client.scripted import Answer, refuse, scripted

Ack = batch_service_pb2.StreamEntriesResponse


def entries(count: int) -> Iterator[batch_pb2.Entry]:
    """Numbered entries, made as they are asked for."""
    return (batch_pb2.Entry(input_data=f"u{n}@example.org") for n in range(count))


class Shelf:
    """The server's side: what it was sent, in the order and at the place it was sent."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.streams = 0

    def taking(self, frames: int | None = None) -> Answer:
        """Keep frames and ack each; break the stream after `frames` of them."""

        async def answer(requests: Any, context: Any) -> None:
            self.streams += 1
            left = frames
            async for request in requests:
                self._keep(request)
                if left == 0:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
                await context.write(self._ack(finished=request.HasField("finish")))
                left = None if left is None else left - 1

        return answer

    def _keep(self, request: Any) -> None:
        if request.entries:
            assert request.offset <= len(self.kept), "a gap"
            new = [entry.input_data for entry in request.entries]
            self.kept += new[len(self.kept) - request.offset :]
        if request.HasField("finish"):
            assert request.finish.entry_count == len(self.kept)

    def _ack(self, *, finished: bool = False) -> Ack:
        count = len(self.kept)
        batch = batch_pb2.Batch(batch_id="b", entry_count=count) if finished else None
        return Ack(entry_count=count, batch=batch)


async def test_a_cut_upload_goes_on_from_what_is_durable() -> None:
    """Cuts at several places leave every entry kept once, in order."""
    shelf = Shelf()
    acks: list[int] = []
    count = 12 * FRAME_ENTRIES + 345
    script = [shelf.taking(1), shelf.taking(0), shelf.taking(5), shelf.taking()]
    async with scripted(StreamEntries=script) as (client, _):
        batch = await client.upload("b", entries(count), acked=acks.append)
    assert [f"u{n}@example.org" for n in range(count)] == shelf.kept
    assert (count, 4) == (batch.entry_count, shelf.streams)
    assert sorted(acks) == acks


async def test_an_upload_ends_when_patience_does() -> None:
    """A server that never takes anything is not asked for ever."""
    shelf = Shelf()
    async with scripted(0.3, StreamEntries=[shelf.taking(0)]) as (client, _):
        with pytest.raises(ServiceError) as caught:
            await client.upload("b", entries(10))
    assert grpc.StatusCode.UNAVAILABLE is caught.value.code


async def test_only_frames_in_flight_are_taken_from_the_source() -> None:
    """A server that acks nothing is sent a few frames, however long the list is."""
    taken = 0
    full = asyncio.Event()

    def source() -> Iterator[batch_pb2.Entry]:
        nonlocal taken
        for entry in entries(1_000_000):
            taken += 1
            yield entry

    async def silent(requests: Any, context: Any) -> None:
        frames = 0
        await context.write(Ack())
        async for request in requests:
            frames += bool(request.entries)
            if frames == IN_FLIGHT_FRAMES:
                full.set()

    async with scripted(StreamEntries=[silent]) as (client, _):
        upload = asyncio.ensure_future(client.upload("b", source()))
        await asyncio.wait_for(full.wait(), 10)
        for _turn in range(100):
            await asyncio.sleep(0)
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)
    assert IN_FLIGHT_FRAMES * FRAME_ENTRIES == taken


async def test_long_inputs_make_small_frames() -> None:
    """A frame stays under the server's 4 MiB whatever the entries are."""
    largest = 0

    async def measure(requests: Any, context: Any) -> None:
        nonlocal largest
        count = 0
        await context.write(Ack())
        async for request in requests:
            largest = max(largest, request.ByteSize())
            count += len(request.entries)
            batch = batch_pb2.Batch() if request.HasField("finish") else None
            await context.write(Ack(entry_count=count, batch=batch))

    long = (batch_pb2.Entry(input_data="é" * 30_000) for _ in range(100))
    async with scripted(StreamEntries=[measure]) as (client, _):
        await client.upload("b", long)
    assert 1_000_000 < largest < 1_100_000


async def test_an_error_of_the_source_is_the_callers_own() -> None:
    """What the entries' iterator raises comes out as it is, and the call ends."""

    def source() -> Iterator[batch_pb2.Entry]:
        yield from entries(5)
        raise LookupError("row 6 is broken")

    async with scripted(StreamEntries=[Shelf().taking()]) as (client, _):
        with pytest.raises(LookupError, match="row 6"):
            await client.upload("b", source())


async def test_a_refusal_is_told_with_its_reason() -> None:
    """An upload to a running batch says WRONG_STATE."""

    async def refused(requests: Any, context: Any) -> None:
        code = grpc.StatusCode.FAILED_PRECONDITION
        await refuse(context, code, "WRONG_STATE", "batch 'b' is RUNNING")

    async with scripted(StreamEntries=[refused]) as (client, _):
        with pytest.raises(ServiceError) as caught:
            await client.upload("b", entries(10), launch=True)
    assert "WRONG_STATE" == caught.value.reason


async def test_an_upload_cut_after_its_end_finds_the_batch() -> None:
    """The launch was heard, the answer was lost: the batch that is there is the answer."""

    async def cut_at_the_end(requests: Any, context: Any) -> None:
        await context.write(Ack())
        async for request in requests:
            if request.HasField("finish"):
                await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")

    async def ended(requests: Any, context: Any) -> None:
        code = grpc.StatusCode.FAILED_PRECONDITION
        await refuse(context, code, "WRONG_STATE", "batch 'b' is COMPLETED")

    async def there(requests: Any, context: Any) -> None:
        batch = batch_pb2.Batch(batch_id="b", entry_count=10)
        await context.write(batch_service_pb2.GetBatchResponse(batch=batch))

    script = [cut_at_the_end, ended]
    async with scripted(StreamEntries=script, GetBatch=[there]) as (client, _):
        batch = await client.upload("b", entries(10), launch=True)
    assert ("b", 10) == (batch.batch_id, batch.entry_count)
