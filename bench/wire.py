"""The wire alone: durable upload, and results streamed out by frame size.

    python -m bench.wire [--entries 200000]

Upload sends encoded frames, and an entry counts when its ack, which means flushed to disk, is back.
A stream is read without decoding its messages, beside a bare grpc.aio server (`bench.pages`) that
sends one page of the same size again and again: the most this transport carries on this machine.
Prints one JSON line.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from bench.offline import NOBODY, PATIENCE_S, addresses
from mailvet.testbed.bed import Testbed
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import FreshServerProcess, cpu_seconds_of, free_port

BATCH = "/mailvet.v1.BatchService/"
STREAM = "/mailvet.v1.ResultService/StreamResults"
PER_UPLOAD_FRAME = 1000
FRAME_SIZES = (1, 16, 64, 256, 1000)
FRAMES_AT_MOST = 2000
"""Read of a stream of small frames: enough to tell its rate."""
TURNS = 7
"""Of service and floor one after the other: a slow second of the machine meets both."""


async def measure(count: int) -> dict[str, Any]:
    """Run once; returns the figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with Testbed(NOBODY) as bed:
            server = FreshServerProcess(
                bed,
                Path(folder),
                window_entries="5000",
                dns_timeout_s=PATIENCE_S,
                log_level="warning",
            )
            await server.start()
            try:
                async with grpc.aio.insecure_channel(server.target) as channel:
                    return await _measure(server, channel, count)
            finally:
                await server.stop()


async def _measure(
    server: FreshServerProcess, channel: grpc.aio.Channel, count: int
) -> dict[str, Any]:
    frames = list(_upload_frames(count))
    create = batch_service_pb2.CreateBatchRequest(batch_id="wire").SerializeToString()
    await channel.unary_unary(f"{BATCH}CreateBatch")(create)
    cpu, started = server.cpu_seconds(), time.perf_counter()
    await _upload(channel, frames)
    figures: dict[str, Any] = {
        "entries": count,
        "upload_per_s": round(count / (time.perf_counter() - started)),
        "upload_cpu_us": round((server.cpu_seconds() - cpu) / count * 1e6, 2),
        "streams": [],
    }
    await _answer(channel)
    for size in FRAME_SIZES:
        figures["streams"].append(await _beside_the_floor(server, channel, size, count))
    return figures


def _upload_frames(count: int) -> Any:
    texts = list(addresses(count))
    for offset in range(0, count, PER_UPLOAD_FRAME):
        entries = [batch_pb2.Entry(input_data=t) for t in texts[offset : offset + PER_UPLOAD_FRAME]]
        yield batch_service_pb2.StreamEntriesRequest(
            batch_id="wire", offset=offset, entries=entries
        ).SerializeToString()


async def _upload(channel: grpc.aio.Channel, frames: list[bytes]) -> None:
    async def send() -> AsyncIterator[bytes]:
        for frame in frames:
            yield frame

    acks = 0
    async for _ in channel.stream_stream(f"{BATCH}StreamEntries")(send()):
        acks += 1
    if acks != len(frames):
        raise SystemExit(f"{acks} acks for {len(frames)} frames")


async def _answer(channel: grpc.aio.Channel) -> None:
    launch = batch_service_pb2.LaunchBatchRequest(batch_id="wire").SerializeToString()
    await channel.unary_unary(f"{BATCH}LaunchBatch")(launch)
    wait = batch_service_pb2.GetBatchRequest(batch_id="wire")
    wait.wait.FromSeconds(60)
    state = batch_pb2.BATCH_STATE_UNSPECIFIED
    while state != batch_pb2.BATCH_STATE_COMPLETED:
        raw = await channel.unary_unary(f"{BATCH}GetBatch")(wait.SerializeToString())
        state = batch_service_pb2.GetBatchResponse.FromString(raw).batch.state


async def _beside_the_floor(
    server: FreshServerProcess, channel: grpc.aio.Channel, size: int, count: int
) -> dict[str, Any]:
    request = result_service_pb2.StreamResultsRequest(batch_id="wire", max_results=size)
    asked = request.SerializeToString()
    page = await _usual_frame(channel, asked)
    ours, bare = [], []
    frames = min(FRAMES_AT_MOST, -(-count // size))
    async with _floor(page, frames) as (floor, cpu_seconds):
        for _ in range(TURNS):
            ours.append(await _read(channel, asked, server.cpu_seconds))
            bare.append(await _read(floor, b"", cpu_seconds))
    rate, floor_rate = (statistics.median(size / turn.seconds for turn in t) for t in (ours, bare))
    cpu, floor_cpu = (
        statistics.median(turn.cpu_s / size * 1e6 for turn in t) for t in (ours, bare)
    )
    return {
        "per_frame": size,
        "results_per_s": round(rate),
        "server_cpu_us": round(cpu, 2),
        "floor_per_s": round(floor_rate),
        "floor_cpu_us": round(floor_cpu, 2),
        "of_floor": round(rate / floor_rate, 2),
    }


class _Turn(NamedTuple):
    """What one frame of a stream took, on average."""

    seconds: float
    cpu_s: float
    """Of the server."""


async def _usual_frame(channel: grpc.aio.Channel, request: bytes) -> bytes:
    """Return the frame of middle size: the first ones have duplicates only, which are short."""
    call = channel.unary_stream(STREAM)(request)
    frames: list[bytes] = []
    async for raw in call:
        frames.append(raw)
        if len(frames) == FRAMES_AT_MOST:
            break
    call.cancel()
    return sorted(frames, key=len)[len(frames) // 2]


async def _read(
    channel: grpc.aio.Channel, request: bytes, cpu_seconds: Callable[[], float]
) -> _Turn:
    """Return what a frame took."""
    cpu, started = cpu_seconds(), time.perf_counter()
    frames = 0
    call = channel.unary_stream(STREAM)(request)
    async for _ in call:
        frames += 1
        if frames == FRAMES_AT_MOST:
            break
    seconds = time.perf_counter() - started
    call.cancel()
    return _Turn(seconds / frames, (cpu_seconds() - cpu) / frames)


@asynccontextmanager
async def _floor(
    page: bytes, frames: int
) -> AsyncIterator[tuple[grpc.aio.Channel, Callable[[], float]]]:
    """A channel to a process that sends one page again and again, and its processor time."""
    port = free_port()
    bare = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.pages", str(port), str(frames)),
        stdin=asyncio.subprocess.PIPE,
    )
    assert bare.stdin is not None
    bare.stdin.write(page)
    bare.stdin.close()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 20)
            yield channel, lambda: cpu_seconds_of(bare.pid)
    finally:
        bare.terminate()
        await bare.wait()


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000)
    print(json.dumps(asyncio.run(measure(parser.parse_args().entries))))


if __name__ == "__main__":
    main()
