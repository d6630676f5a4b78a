"""Health checks."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthStub

from mailvet.rpc.health import ENGINE
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World

SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING


def health(world: World) -> Any:
    return HealthStub(world.channel)


@pytest.mark.parametrize("service", ["", ENGINE, "mailvet.v1.BatchService"])
async def test_a_service_is_serving(world: World, service: str) -> None:
    """The server as a whole, the engine and each service can be asked for."""
    reply = await health(world).Check(pb.HealthCheckRequest(service=service))

    assert SERVING == reply.status


async def test_the_engine_can_be_unwell_alone(world: World) -> None:
    """A closed port of ours does not stop the service from answering."""
    world.server.health.set_serving(ENGINE, serving=False)
    found = (await health(world).List(pb.HealthListRequest())).statuses

    assert NOT_SERVING == found[ENGINE].status
    assert SERVING == found[""].status


async def test_an_unknown_service_is_not_found(world: World) -> None:
    """As the protocol asks."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health(world).Check(pb.HealthCheckRequest(service="nothing"))

    assert grpc.StatusCode.NOT_FOUND is caught.value.code()


async def test_a_watcher_hears_of_changes(world: World) -> None:
    """Each change of state is one message."""
    watch = health(world).Watch(pb.HealthCheckRequest(service=ENGINE))
    seen = [(await watch.read()).status]
    for serving in (False, True):
        world.server.health.set_serving(ENGINE, serving=serving)
        seen.append((await watch.read()).status)

    assert [SERVING, NOT_SERVING, SERVING] == seen
    watch.cancel()


async def test_an_unknown_service_can_be_watched(world: World) -> None:
    """It is said to be unknown; it may come later."""
    watch = health(world).Watch(pb.HealthCheckRequest(service="nothing"))

    assert pb.HealthCheckResponse.SERVICE_UNKNOWN == (await watch.read()).status
    watch.cancel()


async def test_a_drain_is_told_and_ends_the_watch(world: World) -> None:
    """Watchers hear NOT_SERVING, then the stream ends, so that nothing holds up the drain."""
    watch = health(world).Watch(pb.HealthCheckRequest())
    await watch.read()
    stopping = asyncio.create_task(world.server.stop(grace_s=30))

    assert NOT_SERVING == (await watch.read()).status
    assert grpc.StatusCode.UNAVAILABLE is await watch.code()
    await asyncio.wait_for(stopping, 5)


async def test_health_needs_no_key_and_no_log_line(open_world: OpenWorld) -> None:
    """Probes come every second, from machines without keys."""
    world = await open_world(require_keys=True)
    reply = await health(world).Check(pb.HealthCheckRequest())

    assert (SERVING, []) == (reply.status, world.logs)
