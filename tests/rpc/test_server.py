"""The server as a whole."""

import asyncio

import grpc
import pytest

from mailvet.errors import ConfigError
from mailvet.rpc.server import HARD_MESSAGE_BYTES, ServerOptions, build_server
from mailvet.store.memory import MemoryStore
from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import Oracle, World


async def test_a_taken_port_is_refused(world: World) -> None:
    """Two servers do not share a port by accident; the message names the setting."""
    address = f"127.0.0.1:{world.server.port}"
    with pytest.raises(ConfigError, match="listen"):
        build_server(MemoryStore(), Oracle(), ServerOptions(address=address))


async def test_a_huge_message_does_not_hurt(world: World) -> None:
    """Above gRPC's own limit it refuses by itself, and the next call is answered."""
    entry = batch_pb.Entry(input_data="x" * (HARD_MESSAGE_BYTES + 1))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.CreateBatch(pb.CreateBatchRequest(entries=[entry]))

    assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code()
    assert await world.create("b")


async def test_an_idle_server_stops_at_once(open_world: OpenWorld) -> None:
    """A drain takes as long as the calls under way, not as long as its grace."""
    world = await open_world()
    await world.create("b")

    await asyncio.wait_for(world.server.stop(grace_s=60), 5)
    assert world.server.port


async def test_waiting_calls_are_answered_in_a_drain(open_world: OpenWorld) -> None:
    """Who waits for the end of a batch gets its state instead."""
    world = await open_world()
    await world.create("b", 1, launch=True)
    request = pb.GetBatchRequest(batch_id="b")
    request.wait.FromSeconds(60)
    waiting = asyncio.ensure_future(world.batches.GetBatch(request))
    method = "mailvet.v1.BatchService/GetBatch"
    while not world.metrics.open_calls(method):
        await asyncio.sleep(0.01)
    await asyncio.wait_for(world.server.stop(grace_s=60), 5)

    assert batch_pb.BATCH_STATE_RUNNING == (await waiting).batch.state


async def test_new_calls_are_refused_in_a_drain(open_world: OpenWorld) -> None:
    """While the load balancer still sends calls, they are told to go elsewhere."""
    world = await open_world(lame_duck_s=0.3)
    await world.create("b")
    stopping = asyncio.create_task(world.server.stop(grace_s=60))
    await asyncio.sleep(0)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.create("c")
    stopping.cancel()

    assert grpc.StatusCode.UNAVAILABLE is caught.value.code()
