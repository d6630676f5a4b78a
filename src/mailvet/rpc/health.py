"""Health by grpc.health.v1: the server as a whole, each service, and the engine.

Our own servicer: the stock one writes to watchers while it holds the lock that a drain needs, so
a watcher who does not read would hold up the drain.
"""

import asyncio

from grpc_health.v1 import health_pb2 as pb

from mailvet.errors import NotFound
from mailvet.rpc.call import Call, Method
from mailvet.rpc.dispatch import methods_of

ENGINE = "mailvet.engine"
"""Not serving while our own network or the resolver fails: answers would all be UNKNOWN."""
SERVING: int = pb.HealthCheckResponse.SERVING
NOT_SERVING: int = pb.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN: int = pb.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """The state of each service by name; the empty name is the server as a whole."""

    def __init__(self, services: list[str]) -> None:
        self._serving = dict.fromkeys(["", ENGINE, *services], True)
        self._changed = asyncio.Event()
        self._draining = False

    def set_serving(self, service: str, *, serving: bool) -> None:
        """Say how a service is; ignored once the server drains."""
        if not self._draining:
            self._serving[service] = serving
            self._wake()

    def drain(self) -> None:
        """Say for good that nothing is served any more."""
        self._draining = True
        self._serving = dict.fromkeys(self._serving, False)
        self._wake()

    def _wake(self) -> None:
        # Each watcher waits for the event that was current when it looked.
        self._changed.set()
        self._changed = asyncio.Event()

    def _status(self, service: str) -> int:
        if service not in self._serving:
            return _SERVICE_UNKNOWN
        return SERVING if self._serving[service] else NOT_SERVING

    async def check(
        self, request: pb.HealthCheckRequest, _call: Call[pb.HealthCheckRequest]
    ) -> pb.HealthCheckResponse:
        """Answer how a service is now."""
        if request.service not in self._serving:
            raise NotFound("service", request.service)
        return pb.HealthCheckResponse(status=self._status(request.service))

    async def list(
        self, _request: pb.HealthListRequest, _call: Call[pb.HealthListRequest]
    ) -> pb.HealthListResponse:
        """Answer how everything is now."""
        reply = pb.HealthListResponse()
        for service in self._serving:
            reply.statuses[service].status = self._status(service)
        return reply

    async def watch(
        self, request: pb.HealthCheckRequest, call: Call[pb.HealthCheckRequest]
    ) -> None:
        """Answer how a service is, and again whenever that changes."""
        said = None
        while True:
            changed, status = self._changed, self._status(request.service)
            if status != said:
                await call.write(pb.HealthCheckResponse(status=status))
                said = status
            if self._draining:
                raise call.going_away()
            await changed.wait()


def health_methods(health: Health) -> list[Method]:
    """Return the methods of grpc.health.v1.Health; a probe needs no key."""
    service = pb.DESCRIPTOR.services_by_name["Health"]
    return [method._replace(public=True) for method in methods_of(service, health)]
