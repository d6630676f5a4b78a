"""A server that answers as a scenario says, for what a real server does not do on request."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from mailvet.rpc.descriptors import pool
from tests.client.scripted import refuse

Act = dict[str, Any]
Scripts = dict[str, list[list[Act | str]]]
HELD_S = 150.0
"""How long a call is held that is to have no end: longer than any scenario waits."""


@dataclass(slots=True)
class Heard:
    """A message that a client sent."""

    method: str
    request: dict[str, Any]
    metadata: dict[str, str]
    at: float
    """Seconds of a clock that only goes forward."""

    def said(self, before: "Heard | None") -> dict[str, Any]:
        """What a scenario can expect of it, with the time since the message before."""
        waited_ms = 0.0 if before is None else (self.at - before.at) * 1000
        return {"request": self.request, "metadata": self.metadata, "after_ms": waited_ms}


class Scripted(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Carries out the next answer of the method's script; the last one again and again."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._scripts: Scripts = {}
        self.cut: Callable[[], None] = lambda: None
        """Cuts every connection."""
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._methods = {
            method.name: method
            for file in ("batch", "catalog", "result", "verification")
            for service in pool()
            .FindFileByName(f"mailvet/v1/{file}_service.proto")
            .services_by_name.values()
            for method in service.methods
        }

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def stop(self) -> None:
        """End every call."""
        await self._server.stop(None)

    def play(self, scripts: Scripts, cut: Callable[[], None]) -> None:
        """Begin another scenario; `cut` cuts every connection."""
        self.heard = []
        self._scripts = {name: list(script) for name, script in scripts.items()}
        self.cut = cut

    def service(self, details: Any) -> Any:
        """The handler of a method that the scenario has."""
        method = self._methods.get(details.method.rpartition("/")[2])
        if method is None or method.name not in self._scripts:
            return None
        request_type = GetMessageClass(method.input_type)

        async def answer(requests: AsyncIterator[Any], context: Any) -> None:
            script = self._scripts[method.name]
            acts = script.pop(0) if len(script) > 1 else script[0]
            call = _Call(method, requests, context, self)
            if not method.client_streaming:
                await call.take(1)
            for act in acts:
                await call.act(act)

        return grpc.stream_stream_rpc_method_handler(
            answer,
            request_deserializer=request_type.FromString,
            response_serializer=lambda data: data,
        )


class _Call:
    """One call, and the acts of its answer: each method is one, by its name in a scenario."""

    def __init__(self, method: Any, requests: Any, context: Any, stage: Scripted) -> None:
        self._method = method
        self._requests = requests
        self._context = context
        self._stage = stage

    async def act(self, act: Act | str) -> None:
        """Carry out one act of a scenario."""
        if isinstance(act, str):
            await getattr(self, act)()
            return
        ((name, value),) = act.items()
        await getattr(self, name)(value)

    async def take(self, count: int) -> None:
        """Read so many messages."""
        for _ in range(count):
            request = await anext(self._requests)
            said = MessageToDict(request, preserving_proto_field_name=True)
            sent = self._context.invocation_metadata()
            metadata = {key: value for key, value in sent if isinstance(value, str)}
            self._stage.heard.append(Heard(self._method.name, said, metadata, time.monotonic()))

    async def send(self, value: Act) -> None:
        """Send a message; `unknown_field` is the number of a field that no client knows."""
        fields = dict(value)
        unknown = fields.pop("unknown_field", None)
        data = ParseDict(fields, GetMessageClass(self._method.output_type)()).SerializeToString()
        if unknown is not None:
            data += _varint(unknown << 3) + _varint(1)
        await self._context.write(data)

    async def fail(self, value: Act) -> None:
        """End the call with an error: of the server when it has a reason, else of something
        between."""
        code, message = grpc.StatusCode[value["code"]], value.get("message", "")
        wait_ms = value.get("retry_after_ms")
        if "reason" not in value:
            await self._context.abort(code, message)
        bad = error_details_pb2.BadRequest()
        for field, description in value.get("violations", {}).items():
            bad.field_violations.add(field=field, description=description)
        await refuse(
            self._context,
            code,
            value["reason"],
            message,
            None if wait_ms is None else wait_ms / 1000,
            *([bad] if bad.field_violations else []),
            metadata=value.get("metadata"),
        )

    async def wait_ms(self, value: float) -> None:
        """Say nothing for a while."""
        await asyncio.sleep(value / 1000)

    async def cut(self) -> None:
        """Reset the connection."""
        self._stage.cut()
        await self.hold()

    async def hold(self) -> None:
        """Say nothing any more."""
        await asyncio.sleep(HELD_S)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
