"""Callbacks of batches, over the wire: what is asked for, what is shown, what is refused."""

from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from mailvet.callbacks.url import UrlRules
from mailvet.model.callback import Callback, CallbackCalls
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import callback_pb2
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/mailvet"


def hook(url: str = URL, *secrets: str, **more: Any) -> callback_pb2.Callback:
    """A callback as callers ask for it."""
    return callback_pb2.Callback(url=url, secrets=secrets, **more)


async def update(world: World, callback: callback_pb2.Callback | None) -> batch_pb.Batch:
    """Set the callback of batch "b", or take it away."""
    request = pb.UpdateBatchRequest(
        batch=batch_pb.Batch(batch_id="b", callback=callback),
        update_mask=FieldMask(paths=["callback"]),
    )
    batch: batch_pb.Batch = (await world.batches.UpdateBatch(request)).batch
    return batch


async def kept(world: World) -> Callback | None:
    """What the store keeps."""
    return (await world.store.get_batch("default", "b")).spec.callback


async def test_secrets_are_never_shown(world: World) -> None:
    """They are kept, and the rest comes back."""
    form = callback_pb2.CALLBACK_FORMAT_VERIFALIA
    batch = await world.create("b", 1, callback=hook(URL, SECRET, format=form))
    assert (URL, form, [], 0) == (
        batch.callback.url,
        batch.callback.format,
        list(batch.callback.secrets),
        batch.callback.attempt_count,
    )
    found = await kept(world)
    assert found is not None
    assert (URL, (SECRET,)) == (found.url, found.secrets)


async def test_a_callback_is_changed_and_taken_away(world: World) -> None:
    """Without secrets those stay that are there."""
    await world.create("b", 1)
    await update(world, hook(URL, SECRET))
    changed = await update(world, hook(URL + "/2"))
    found = await kept(world)
    assert found is not None
    assert (URL + "/2", (SECRET,)) == (changed.callback.url, found.secrets)
    await update(world, None)
    assert await kept(world) is None


async def test_how_the_calls_stand_is_shown(world: World) -> None:
    """Of a batch that ended."""
    await world.create("b", 1, callback=hook(URL, SECRET))
    await world.batches.CancelBatch(pb.CancelBatchRequest(batch_id="b"))
    (batch,) = await world.store.due_callbacks(limit=9)
    calls = CallbackCalls(2, 1_700_000_000.0, "503", delivered=False, next_time=4_000_000_000.0)
    await world.store.note_calls(batch, calls)
    shown = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch.callback
    assert (2, "503", False) == (shown.attempt_count, shown.last_outcome, shown.delivered)
    assert (1_700_000_000, 4_000_000_000) == (
        shown.last_attempt_time.seconds,
        shown.next_attempt_time.seconds,
    )


@pytest.mark.parametrize(
    ("callback", "field", "told_of"),
    [
        (hook(URL), "callback.secrets", "whsec_"),
        (hook("http://a.example/", SECRET), "callback.url", "use https"),
        (hook("https://u:p@a.example/", SECRET), "callback.url", "user name"),
        (hook("https://a.example:25/", SECRET), "callback.url", "port 25"),
        (hook(URL, SECRET, "x"), "callback.secrets[1]", "whsec_"),
        (hook(URL, *[SECRET] * 4), "callback.secrets", "at most 3"),
        (hook(URL, SECRET, format=99), "callback.format", "no value"),
    ],
)
async def test_a_wrong_callback_names_the_field(
    world: World, callback: callback_pb2.Callback, field: str, told_of: str
) -> None:
    """And the way out."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.create("b", 1, callback=callback)
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert field == violation.field
    assert told_of in violation.description


async def test_the_first_callback_needs_a_secret(world: World) -> None:
    """There is none to keep."""
    await world.create("b", 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await update(world, hook(URL))
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert "batch.callback.secrets" == violation.field


async def test_an_operator_may_open_http(open_world: OpenWorld) -> None:
    """For tests."""
    world = await open_world(callback_rules=UrlRules(http=True))
    batch = await world.create("b", 1, callback=hook("http://127.0.0.1:9/", SECRET))
    assert "http://127.0.0.1:9/" == batch.callback.url
