"""The driver for Python: carries out commands with `mailvet.client`, and says what it saw.

With `--sync` the client is the one for programs without asyncio. README.md has the protocol.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict

from mailvet import __version__
from mailvet.client import ServiceError, connect, sync
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_service_pb2,
    upload_file_pb2,
)
from mailvet.v1.batch_service_pb2_grpc import BatchServiceStub
from mailvet.v1.catalog_service_pb2_grpc import CatalogServiceStub
from mailvet.v1.result_service_pb2_grpc import ResultServiceStub

METHODS: dict[str, tuple[Any, Any]] = {
    "GetServerInfo": (CatalogServiceStub, catalog_service_pb2.GetServerInfoRequest),
    "GetBatch": (BatchServiceStub, batch_service_pb2.GetBatchRequest),
    "LaunchBatch": (BatchServiceStub, batch_service_pb2.LaunchBatchRequest),
    "DeleteBatch": (BatchServiceStub, batch_service_pb2.DeleteBatchRequest),
    "ListResults": (ResultServiceStub, result_service_pb2.ListResultsRequest),
}
"""Which stub a unary call is of, and what it takes."""
Command = dict[str, Any]
Saw = Callable[..., None]


def said(message: Any) -> Any:
    """A message as the protocol writes it."""
    return MessageToDict(message, preserving_proto_field_name=True)


def entries(command: Command) -> Iterator[batch_pb2.Entry]:
    """The entries of an upload, made as they are asked for."""
    for entry in command.get("entries", ()):
        yield ParseDict(entry, batch_pb2.Entry())
    made = command.get("made", {"count": 0})
    for number in range(made["count"]):
        texts = {name: text.replace("{n}", str(number)) for name, text in made["entry"].items()}
        yield ParseDict(texts, batch_pb2.Entry())


def shown(frame: Any, command: Command) -> Command:
    """What is said of a frame of results."""
    if not command.get("brief"):
        return {"frame": said(frame)}
    indexes = [result.index for result in frame.results]
    return {"indexes": indexes, "cursor": frame.cursor, "done": frame.done}


def seconds(command: Command, name: str) -> dict[str, float]:
    """An argument in seconds, when the command has it in milliseconds."""
    found = command.get(f"{name}_ms")
    return {} if found is None else {f"{name}_s": found / 1000}


def connection(command: Command) -> dict[str, Any]:
    """How to connect, in the words of both clients."""
    options: dict[str, Any] = {"key": command.get("key")}
    options |= seconds(command, "patience") | seconds(command, "keepalive")
    if roots := command.get("tls_roots"):
        options["root_certificates"] = Path(roots).read_bytes()
    return options


class Threaded:
    """The client without asyncio, in the words of the one with it."""

    def __init__(self, client: sync.Client) -> None:
        self._client = client

    def stub(self, kind: Any) -> Any:
        """The stub of a service."""
        return self._client.stub(kind)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return (lambda *given, **named: Had(found(*given, **named))) if callable(found) else found


class Had:
    """What a call returned: it can be awaited, or gone through."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self._value

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self._value:
            yield item

    async def aclose(self) -> None:
        """Leave the loop."""
        self._value.close()


@asynccontextmanager
async def threaded(target: str, **options: Any) -> AsyncIterator[Threaded]:
    """Yield a client without asyncio."""
    with sync.connect(target, **options) as client:
        yield Threaded(client)


class Commands:
    """Carries out commands, on a loop that runs while there is one."""

    def __init__(self, connect: Any) -> None:
        self._connected = connect
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self._client: Any = None

    def close(self) -> None:
        """End the connection and the loop."""
        self._runner.run(self._open.aclose())
        self._runner.close()

    def carry_out(self, command: Command, saw: Saw) -> Any:
        """Do what a command says and return what is `ok`."""
        return self._runner.run(getattr(self, f"_{command['do']}")(command, saw))

    async def _connect(self, command: Command, saw: Saw) -> Command:
        await self._open.aclose()
        opened = self._connected(command["target"], **connection(command))
        self._client = await self._open.enter_async_context(opened)
        return {}

    async def _check_server(self, command: Command, saw: Saw) -> Command:
        return {"warning": await self._client.check_server()}

    async def _call(self, command: Command, saw: Saw) -> Any:
        kind, request_type = METHODS[command["method"]]
        method = getattr(self._client.stub(kind), command["method"])
        request = ParseDict(command["request"], request_type())
        return said(await self._client.call(method, request, **seconds(command, "timeout")))

    async def _verify_email(self, command: Command, saw: Saw) -> Any:
        return said(
            await self._client.verify_email(command["address"], **seconds(command, "timeout"))
        )

    async def _create_batch(self, command: Command, saw: Saw) -> Any:
        request = ParseDict(command["request"], batch_service_pb2.CreateBatchRequest())
        return said(await self._client.create_batch(request))

    async def _upload(self, command: Command, saw: Saw) -> Any:
        batch = await self._client.upload(
            command["batch_id"],
            entries(command),
            launch=command.get("launch", False),
            acked=lambda count: saw(acked=count),
        )
        return said(batch)

    async def _stream_results(self, command: Command, saw: Saw) -> Command:
        request = ParseDict(command["request"], result_service_pb2.StreamResultsRequest())
        frames = self._client.stream_results(request)
        async for number, frame in _numbered(frames):
            saw(**shown(frame, command))
            if number == command.get("leave_after"):
                break
            await asyncio.sleep(command.get("pause_ms", 0) / 1000)
        await frames.aclose()
        return {}

    async def _watch(self, command: Command, saw: Saw) -> Command:
        frames = self._client.watch(command["batch_id"])
        async for number, frame in _numbered(frames):
            saw(frame=said(frame))
            if number == command.get("leave_after"):
                break
        await frames.aclose()
        return {}

    async def _verify_file(self, command: Command, saw: Saw) -> Command:
        batch = ParseDict(command.get("batch", {}), batch_service_pb2.CreateBatchRequest())
        results = self._client.verify_file(
            command["path"], progress=lambda *far: saw(progress=far), batch=batch
        )
        async for result in results:
            saw(result=said(result))
        return {}

    async def _upload_file(self, command: Command, saw: Saw) -> Any:
        settings = ParseDict(command.get("settings", {}), upload_file_pb2.FileSettings())
        with Path(command["path"]).open("rb") as source:
            reply = await self._client.upload_file(
                command["batch_id"],
                source,
                settings,
                launch=command.get("launch", False),
                acked=lambda reply: saw(reply=said(reply)),
            )
        return said(reply)

    async def _export(self, command: Command, saw: Saw) -> Any:
        request = ParseDict(command["request"], result_service_pb2.ExportResultsRequest())
        with Path(command["path"]).open("wb") as out:
            file = await self._client.export(
                request, out, progressed=lambda *far: saw(exported=far)
            )
        return said(file)

    async def _explain_email(self, command: Command, saw: Saw) -> Command:
        frames = self._client.explain_email(command["address"])
        async for number, frame in _numbered(frames):
            saw(frame=said(frame))
            if number == command.get("leave_after"):
                break
        await frames.aclose()
        return {}


async def _numbered(source: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for item in source:
        number += 1
        yield number, item


def failure(error: Exception) -> Command:
    """What is said of a command that failed."""
    if not isinstance(error, ServiceError):
        return {"code": "OTHER", "message": f"{type(error).__name__}: {error}"}
    wait_s = error.retry_after_s
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "metadata": error.metadata,
        "violations": [one._asdict() for one in error.violations],
        "retry_after_ms": None if wait_s is None else round(wait_s * 1000),
    }


def tell(**observation: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(observation) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Carry out commands until there are no more."""
    worker = Commands(threaded if "--sync" in sys.argv else connect)
    tell(driver="python", version=__version__)
    for line in sys.stdin:
        command = json.loads(line)
        number = command["id"]
        if not hasattr(worker, f"_{command['do']}"):
            sys.stderr.write(f"no such command: {command['do']}\n")
            sys.exit(2)
        try:
            done = worker.carry_out(
                command,
                lambda number=number, **observation: tell(id=number, saw=observation),
            )
        except Exception as error:
            tell(id=number, error=failure(error))
        else:
            tell(id=number, ok=done)
    worker.close()


if __name__ == "__main__":
    main()
