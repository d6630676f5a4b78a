"""Who is let in, over the wire, and for how long."""

from typing import Any

import grpc
import pytest

from mailvet.accounts.key_table import MAX_AGE_S
from mailvet.store.base import Store
from mailvet.v1 import batch_service_pb2 as pb
from tests.accounts.world import Clock, made
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import told


async def test_a_call_needs_its_key(open_world: OpenWorld, store: Store) -> None:
    """With the key the call is answered, without it is not."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    world = await open_world(require_keys=True)
    listing = pb.ListBatchesRequest()

    await world.batches.ListBatches(listing, metadata=(("authorization", f"Bearer {text}"),))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.ListBatches(listing)
    assert "UNAUTHENTICATED" == told(caught.value).info.reason


async def test_a_revoked_key_ends_a_stream(open_world: OpenWorld, store: Store) -> None:
    """A stream that began with a good key ends once the key is revoked."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    clock = Clock()
    world = await open_world(require_keys=True, clock=clock, metadata=(("x-api-key", text),))
    await world.create("b", 2, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"))
    await watch.read()
    await store.revoke_key(kept.key_id)
    clock.now += MAX_AGE_S
    await store.cancel_batch("acme", "b")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_to_the_end(watch)

    assert grpc.StatusCode.UNAUTHENTICATED is caught.value.code()


async def read_to_the_end(stream: Any) -> None:
    """Read a stream until it ends, well or not."""
    async for _ in stream:
        pass
