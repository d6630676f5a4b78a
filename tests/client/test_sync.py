"""The client without asyncio, against a server that answers as told."""

import asyncio
import inspect
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.client import ServiceError, aio, sync
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    result_service_pb2,
)
from tests.client.scripted import refuse, scripted
from tests.client.test_aio import ASKED, cut, frame, told, unavailable


async def through(work: Any, **scripts: Any) -> Any:
    """Return what `work` makes of a synchronous client, on a thread as in a plain program."""
    async with scripted(**scripts) as (_, target):

        def plainly() -> Any:
            with sync.connect(target, key="mv_key", patience_s=10) as client:
                return work(client)

        return await asyncio.to_thread(plainly)


async def test_unary_calls_are_retried() -> None:
    """An unavailable server is asked again."""
    info = told(catalog_service_pb2.GetServerInfoResponse(version="9.9.9"))
    warning = await through(
        lambda client: client.check_server(), GetServerInfo=[unavailable(), info]
    )
    assert "9.9.9" in warning


async def test_results_go_on_after_a_cut() -> None:
    """A cut stream goes on after the last frame; a frame that comes twice is given once."""
    seen: list[Any] = []
    first, second = frame(0, 1, cursor="c1"), frame(2, cursor="c2", done=True)
    frames = await through(
        lambda client: list(client.stream_results(ASKED)),
        StreamResults=[cut(first, first, seen=seen), told(second, seen=seen)],
    )
    assert [[0, 1], [2]] == [[result.index for result in each.results] for each in frames]
    assert ["", "c1"] == [request.cursor for request in seen]


async def test_a_loop_may_be_left_early() -> None:
    """Leaving the loop ends the stream, and the client can still be used."""

    def work(client: sync.Client) -> list[Any]:
        for each in client.stream_results(ASKED):
            found = [each.cursor]
            break
        return [*found, client.check_server()]

    info = told(catalog_service_pb2.GetServerInfoResponse(version="9.9.9"))
    found = await through(work, StreamResults=[told(frame(0, cursor="c1"))], GetServerInfo=[info])
    assert "c1" == found[0]


async def test_errors_are_the_same() -> None:
    """A refusal is a ServiceError with its reason."""

    async def answer(requests: Any, context: Any) -> None:
        await refuse(context, grpc.StatusCode.NOT_FOUND, "NOT_FOUND", "no such batch")

    with pytest.raises(ServiceError) as told_error:
        await through(lambda client: list(client.watch("b")), WatchBatch=[answer])
    assert "NOT_FOUND" == told_error.value.reason


async def test_no_thread_is_left() -> None:
    """The event loop's thread ends with the client."""
    info = told(catalog_service_pb2.GetServerInfoResponse(version="9.9.9"))
    await through(lambda client: client.check_server(), GetServerInfo=[info])
    assert "mailvet-client" not in [thread.name for thread in threading.enumerate()]


async def test_a_file_is_verified(tmp_path: Path) -> None:
    """Lines go in, results come out, and the callback hears how far it is."""
    path = tmp_path / "list.txt"
    path.write_text("ann@a.test\nbob@a.test\n")
    heard: list[tuple[int, int]] = []
    named: list[Any] = []
    made = batch_service_pb2.CreateBatchResponse(batch=batch_pb2.Batch(batch_id="b"))
    results = await through(
        lambda client: list(client.verify_file(path, progress=lambda *far: heard.append(far))),
        CreateBatch=[told(made, seen=named)],
        StreamEntries=[_taken],
        StreamResults=[told(frame(0, cursor="c1"), frame(1, cursor="c2", done=True))],
    )
    assert [0, 1] == [result.index for result in results]
    assert [(1, 2), (2, 2)] == heard[-2:]
    assert "list.txt" == named[0].name


async def _taken(requests: Any, context: Any) -> None:
    count = 0
    async for request in requests:
        count += len(request.entries)
        reply = batch_service_pb2.StreamEntriesResponse(entry_count=count)
        if request.HasField("finish"):
            reply.batch.CopyFrom(batch_pb2.Batch(batch_id="b", entry_count=count))
        await context.write(reply)


def test_every_call_has_the_same_name_and_parameters() -> None:
    """Whatever the client for asyncio can do, this one can, asked in the same way."""

    def calls(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in vars(kind).items()
            if inspect.isfunction(method) and not name.startswith("_")
        }

    assert calls(aio.Client) == calls(sync.Client)
    assert inspect.signature(aio.connect).parameters == inspect.signature(sync.connect).parameters


async def test_any_service_has_its_stub() -> None:
    """A service that the client does not name is called with key and retries all the same."""
    info = told(catalog_service_pb2.GetServerInfoResponse(version="9.9.9"))

    def work(client: sync.Client) -> str:
        stub = client.stub(catalog_service_pb2_grpc.CatalogServiceStub)
        request = catalog_service_pb2.GetServerInfoRequest()
        version: str = client.call(stub.GetServerInfo, request).version
        return version

    assert "9.9.9" == await through(work, GetServerInfo=[unavailable(), info])


def test_frames_are_typed() -> None:
    """The frame type is the generated message."""
    assert result_service_pb2.StreamResultsResponse is type(frame())
