"""One call after another: VerifyEmail of an address that is remembered, beside a bare echo.

    python -m bench.unary [--entries 4000]

Each caller sends its next call when the answer to the last one is there. The floor is a grpc.aio
server that sends back the bytes of one such answer and does nothing else, in the same run, on the
same machine: the least that a call costs with this transport. Prints one JSON line.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import verification_service_pb2 as pb
from tests.acceptance.house import FreshServerProcess, cpu_seconds_of, free_port

WORLD = parse_world(
    """
name = "unary"

[[host]]
name = "mx.unary.test"
addresses = ["127.0.84.1"]
domains = ["unary.test"]
mailboxes = { users = 60 }
"""
)
METHOD = "/mailvet.v1.VerificationService/VerifyEmail"
CALLERS = (1, 16, 64, 128)
MAX_AGE_S = 3600
ADDRESSES = 50
TURNS = 4


async def measure(calls: int) -> dict[str, Any]:
    """Run once; returns the figures, times in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        async with Testbed(WORLD) as bed:
            server = FreshServerProcess(bed, Path(folder), log_level="warning")
            await server.start()
            try:
                requests = [_request(number) for number in range(ADDRESSES)]
                ours = grpc.aio.insecure_channel(server.target)
                page = await _warm(ours, requests)
                async with ours, _echo(page) as floor:
                    sides = (floor, _Side("verify_email", ours, server.cpu_seconds))
                    rows = [await _row(sides, requests, n, calls) for n in CALLERS]
            finally:
                await server.stop()
    return {"calls": calls, "answer_bytes": len(page), "callers": rows}


def _request(number: int) -> bytes:
    request = pb.VerifyEmailRequest(input_data=f"user{number}@unary.test")
    request.max_age.FromSeconds(MAX_AGE_S)
    return request.SerializeToString()


async def _warm(channel: grpc.aio.Channel, requests: Sequence[bytes]) -> bytes:
    """Have every address asked once; return an answer that was remembered."""
    call = channel.unary_unary(METHOD)
    for request in requests:
        await call(request)
    answer: bytes = b""
    for request in requests:
        answer = await call(request)
        assert pb.VerifyEmailResponse.FromString(answer).result.from_cache
    return answer


class _Side(NamedTuple):
    """One of the two servers."""

    name: str
    channel: grpc.aio.Channel
    cpu_seconds: Callable[[], float]
    """The processor time it has used."""


@asynccontextmanager
async def _echo(page: bytes) -> AsyncIterator[_Side]:
    """The floor, a process of its own."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.echo", str(port), stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(page)
    process.stdin.close()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 20)
            yield _Side("floor", channel, lambda: cpu_seconds_of(process.pid))
    finally:
        process.kill()
        await process.wait()


async def _row(
    sides: Sequence[_Side], requests: Sequence[bytes], callers: int, calls: int
) -> dict[str, Any]:
    """Both sides with so many callers, in turns: a slow second of the machine meets both."""
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    rates: dict[str, list[float]] = {side.name: [] for side in sides}
    cpu: dict[str, float] = dict.fromkeys(times, 0.0)
    for side in sides:
        await _times(side.channel, requests, callers, callers * 2)  # every caller under way
    for _ in range(TURNS):
        for side in sides:
            cpu_before, started = side.cpu_seconds(), time.perf_counter()
            more = await _times(side.channel, requests, callers, calls // TURNS)
            rates[side.name].append(len(more) / (time.perf_counter() - started))
            cpu[side.name] += side.cpu_seconds() - cpu_before
            times[side.name] += more
    row: dict[str, Any] = {"callers": callers}
    for name, kept in times.items():
        kept.sort()
        row[f"{name}_per_s"] = round(statistics.median(rates[name]))
        row[f"{name}_cpu_us"] = round(cpu[name] / len(kept) * 1e6)
        row[f"{name}_p50_ms"] = round(kept[len(kept) // 2], 3)
        row[f"{name}_p99_ms"] = round(kept[len(kept) * 99 // 100], 3)
    row["p99_of_floor"] = round(row["verify_email_p99_ms"] / row["floor_p99_ms"], 2)
    return row


async def _times(
    channel: grpc.aio.Channel, requests: Sequence[bytes], callers: int, calls: int
) -> list[float]:
    """Milliseconds of each call."""
    call = channel.unary_unary(METHOD)
    times: list[float] = []
    turns = iter(range(calls))

    async def caller() -> None:
        for turn in turns:
            started = time.perf_counter()
            await call(requests[turn % len(requests)])
            times.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return times


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--entries", type=int, default=4000, help="calls for each row")
    print(json.dumps(asyncio.run(measure(parser.parse_args().entries))))
