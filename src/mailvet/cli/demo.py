"""`mailvet demo`: the whole journey on loopback, checked against the truth.

A small mail internet and a real server are started as processes of their own; a thousand
addresses go in over gRPC and every answer is compared with what the world knows of its mailbox.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mailvet.cli.show import ProgressLine, summary
from mailvet.client import Client, ServiceError, connect
from mailvet.config import PREFIX
from mailvet.errors import ConfigError
from mailvet.loop import run
from mailvet.model.status import EntryStatus, QualityLevel
from mailvet.testbed.world import Expectation, load_world
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_pb2,
    result_service_pb2,
    status_pb2,
)

TIME_SCALE = "0.1"
"""Slow hosts of the demo's world are slow in seconds, not in minutes."""
RETRY_SCALE = "0.05"
"""A minute's wait for a greylisted mailbox becomes three seconds."""
START_TIMEOUT_S = 20.0
SHOWN = (
    EntryStatus.SUCCESS,
    EntryStatus.SERVER_IS_CATCH_ALL,
    EntryStatus.MAILBOX_DOES_NOT_EXIST,
    EntryStatus.MAILBOX_HAS_INSUFFICIENT_STORAGE,
    EntryStatus.LOCAL_END_POINT_REJECTED,
    EntryStatus.SMTP_DIALOG_ERROR,
    EntryStatus.DOMAIN_DOES_NOT_EXIST,
    EntryStatus.DOUBLE_DOT_SEQUENCE,
)
"""Statuses of which the demo shows one answer each."""

EXIT_TERMINATED = 143
"""128 and SIGTERM's number, as shells have it."""


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo; returns 0 when every answer was right."""
    try:
        return run(_demo(arguments))
    except asyncio.CancelledError:
        return EXIT_TERMINATED


async def _demo(arguments: argparse.Namespace) -> int:
    running = asyncio.current_task()
    assert running is not None
    # As Ctrl-C: the programs it has started must not be left behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    world = load_world("demo")
    waiting = [one for one in world.expected if _waits(one)][::2]
    expected = [one for one in world.expected if one not in waiting]
    with tempfile.TemporaryDirectory(prefix="mailvet-demo-") as folder:
        async with _world() as bed, _server(arguments.listen, folder, bed) as server:
            async with connect(arguments.listen) as client:
                await _until_ready(client, server, arguments.listen)
                print(f"A mail internet of {bed['hosts']} hosts and a server are up.")
                wrong = await _verify(client, expected, QualityLevel.STANDARD)
                print("\nOther greylisted mailboxes at HIGH quality, which waits for them:")
                wrong += await _verify(client, waiting, QualityLevel.HIGH)
            _what_next(arguments)
            if arguments.keep:
                print("\nKept running until Ctrl-C.", flush=True)
                with contextlib.suppress(asyncio.CancelledError):  # the end that was asked for
                    await asyncio.Event().wait()
    return 1 if wrong else 0


def _waits(expected: Expectation) -> bool:
    return expected.at(QualityLevel.STANDARD) != expected.at(QualityLevel.HIGH)


@asynccontextmanager
async def _world() -> AsyncIterator[dict[str, Any]]:
    command = (sys.executable, "-m", "mailvet.testbed", "demo", "--ready-json", "--no-record")
    async with _process(*command, stdout=asyncio.subprocess.PIPE) as process:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
        if not line:
            raise ConfigError("the demo's mail internet did not start; its error stands above")
        yield json.loads(line)


@asynccontextmanager
async def _server(
    listen: str, folder: str, world: dict[str, Any]
) -> AsyncIterator[asyncio.subprocess.Process]:
    networks = [flag for cidr in world["allow_network"] for flag in ("--allow-network", cidr)]
    command = [sys.executable, "-m", "mailvet", "serve", "--listen", listen]
    command += ["--store", f"{folder}/demo.db", "--resolver", world["resolver"]]
    command += ["--smtp-port", str(world["smtp_port"]), *networks]
    command += ["--helo", "demo.mailvet.test", "--time-scale", TIME_SCALE]
    command += ["--retry-scale", RETRY_SCALE, "--dns-timeout-s", "1.5", "--egress-canaries", ""]
    command += ["--log-level", "warning", "--drain-grace-s", "2"]
    async with _process(*command, stdout=asyncio.subprocess.DEVNULL) as process:
        yield process


@asynccontextmanager
async def _process(*command: str, stdout: int) -> AsyncIterator[asyncio.subprocess.Process]:
    # The demo is the same for everybody, whatever settings they have.
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    process = await asyncio.create_subprocess_exec(*command, stdout=stdout, env=env)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(client: Client, server: asyncio.subprocess.Process, listen: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    request = catalog_service_pb2.GetServerInfoRequest()
    while server.returncode is None and time.monotonic() < deadline:
        try:
            await client.call(client.catalog.GetServerInfo, request, timeout_s=1, patience_s=0)
        except ServiceError:
            await asyncio.sleep(0.1)
        else:
            if server.returncode is None:  # else it was somebody else who answered
                return
    raise ConfigError(
        f"the demo's server did not start on {listen}, as said above; "
        "`mailvet demo --listen 127.0.0.1:PORT` takes another port"
    )


async def _verify(client: Client, expected: Sequence[Expectation], quality: QualityLevel) -> int:
    """Verify the expected addresses, show what came out, return how many answers were wrong."""
    started = time.monotonic()
    batch = await client.create_batch(
        batch_service_pb2.CreateBatchRequest(
            name=f"demo {quality.name.lower()}",
            quality=status_pb2.QualityLevel.ValueType(quality),
        )
    )
    entries = (batch_pb2.Entry(input_data=one.address) for one in expected)
    await client.upload(batch.batch_id, entries, launch=True)
    results, progress = await _collect(client, batch.batch_id)
    print()
    print("\n".join(summary(progress, time.monotonic() - started)))
    wrong = [
        (one, results.get(index))
        for index, one in enumerate(expected)
        if index not in results or EntryStatus(results[index].status) not in one.at(quality)
    ]
    if quality is QualityLevel.STANDARD:
        _show_some(results)
    _judge(wrong, len(expected), quality)
    return len(wrong)


async def _collect(
    client: Client, batch_id: str
) -> tuple[dict[int, result_pb2.Result], batch_pb2.Progress]:
    line = ProgressLine()
    results: dict[int, result_pb2.Result] = {}
    progress = batch_pb2.Progress()

    async def draw() -> None:
        async for frame in client.watch(batch_id):
            line.update(frame.progress)

    watcher = asyncio.ensure_future(draw())
    request = result_service_pb2.StreamResultsRequest(
        batch_id=batch_id, view=result_pb2.RESULT_VIEW_EVIDENCE
    )
    try:
        async for frame in client.stream_results(request):
            for result in frame.results:
                results[result.index] = result
            if frame.HasField("progress"):
                progress = frame.progress
                line.update(progress, force=True)
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        line.clear()
    return results, progress


def _show_some(results: dict[int, result_pb2.Result]) -> None:
    print("\nSome answers, and what they rest on:")
    for status in SHOWN:
        found = next((r for r in results.values() if EntryStatus(r.status) is status), None)
        if found is None:
            continue
        print(f"\n  {found.input_data}")
        print(f"    {status.name}, risk {found.risk_score}: {found.explanation}")
        for record in found.evidence.dns_records[:2]:
            print(f"    dns  {record}")
        if found.evidence.HasField("mailbox"):
            said = found.evidence.mailbox
            reply = f"{said.code} {said.text}" if said.code else said.trouble
            print(f"    smtp {said.stage} at {said.host} [{said.address}]: {reply}")


def _judge(
    wrong: list[tuple[Expectation, result_pb2.Result | None]], count: int, quality: QualityLevel
) -> None:
    if not wrong:
        print(f"\nAll {count:,} answers agree with the truth of the world.")
        return
    print(f"\n{len(wrong)} of {count:,} answers are WRONG:")
    kinds: Counter[str] = Counter()
    for one, result in wrong:
        got = EntryStatus(result.status).name if result is not None else "no answer"
        wanted = " or ".join(sorted(status.name for status in one.at(quality)))
        kinds[f"{wanted} was expected, {got} came"] += 1
        if kinds.total() <= 20:
            told = result.explanation if result is not None else ""
            print(f"  {one.address}: {wanted} was expected, {got} came: {told}")
    for kind, times in kinds.most_common():
        print(f"  {times:>5} x {kind}")


def _what_next(arguments: argparse.Namespace) -> None:
    print("\nTry next, against `mailvet demo --keep`:")
    address = '{"input_data": "user1@plain.test"}'
    print(
        f"  grpcurl -plaintext -d '{address}' {arguments.listen} "
        "mailvet.v1.VerificationService/VerifyEmail"
    )
    print(f"  mailvet batches --target {arguments.listen}")
    print(f"  mailvet verify --target {arguments.listen} user1@plain.test")
