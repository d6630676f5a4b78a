"""The whole service under load: a list uploaded, verified over DNS and SMTP, streamed out.

    python -m bench.verify --list dense|middle|tail [--entries N] [--delay-ms 0|20]
        [--sessions N] [--processes 0|2] [--floor]

Every answer is held to the truth. Prints one JSON line; `server_cpu_us` (the server's own
processor time for each address) is the steady figure, addresses a second depend on who else uses
the machine. With `--floor` the same dialogues are also held by `bench.floor`, and the same job is
done by `bench.prototype`, on the same world. With a delay the rate is held to the law of latency
(`of_law`): connections, each with its addresses, divided by the time of a session's round trips;
give so few `--sessions` that the processor is not what limits it.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.floor import Floor
from bench.prototype import Prototype
from bench.shapes import SHAPES, Shape, is_known
from bench.world import World, world
from mailvet.client import Client
from mailvet.model.status import EntryStatus
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import FreshServerProcess

SETTINGS = {
    "time_scale": "1",
    "dns_timeout_s": "5",
    "window_entries": "50000",
    "max_sessions": "500",
    "resolving": "500",
    "route_sessions": "20",
    "session_recipients": "50",
    "log_level": "warning",
}
"""Those of an operator of his own exchangers: nobody is to be spared."""
ENVIRONMENT = {"MAILVET_IPV6": "false"}
"""The world has IPv4 alone, and neither the floor nor the prototype asks it for more."""
ROUND_TRIPS = 3
"""Of a session that the world holds back: the banner, EHLO, the group with everything else."""
SETTLED_S = 1.0
"""Without work for so long, all processes of a server have started."""
IDLE_SHARE = 0.02
LOG_CHARS = 3000
"""Shown of the server's log when an answer is wrong."""


async def measure(
    shape: Shape,
    count: int,
    delay_ms: float,
    *,
    processes: int,
    floor: bool,
    sessions: int = int(SETTINGS["max_sessions"]),
) -> dict[str, Any]:
    """Run once; returns the figures."""
    given = {"processes": str(processes), "max_sessions": str(sessions)}
    with tempfile.TemporaryDirectory() as folder:
        async with world(shape, delay_ms) as there:
            server = FreshServerProcess(there, Path(folder), **SETTINGS | given)
            await server.start(ENVIRONMENT)
            await _all_started(server)
            try:
                figures = await _measure(server, there, shape, count)
            except SystemExit:
                print(server.log()[-LOG_CHARS:], file=sys.stderr)
                raise
            finally:
                await server.stop()
            figures = {
                "list": shape.name,
                "delay_ms": delay_ms,
                "processes": processes,
                **figures,
            }
            if delay_ms:
                figures |= _by_the_law(figures, sessions, delay_ms)
            if floor:
                least = await Floor(shape, there, count).measure()
                figures |= least | await Prototype(shape, there, count).measure()
                figures["cpu_ratio"] = round(figures["server_cpu_us"] / least["floor_cpu_us"], 2)
                figures["of_prototype"] = round(
                    figures["prototype_cpu_us"] / figures["server_cpu_us"], 2
                )
            return figures


async def _all_started(server: FreshServerProcess) -> None:
    """Wait for the probing processes as well: to start takes each a second of processor time."""
    used, before = server.cpu_seconds(), 0.0
    while used - before > IDLE_SHARE * SETTLED_S:
        await asyncio.sleep(SETTLED_S)
        before, used = used, server.cpu_seconds()


async def _measure(
    server: FreshServerProcess, there: World, shape: Shape, count: int
) -> dict[str, Any]:
    async with server.client() as client:
        cpu, started = server.cpu_seconds(), time.perf_counter()
        await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="load"))
        entries = (batch_pb2.Entry(input_data=text) for text in shape.addresses(count))
        await client.upload("load", entries, launch=True)
        uploaded = time.perf_counter()
        await _hold_to_the_truth(client, count)
        ended = time.perf_counter()
    counts = await there.counts()
    return {
        "entries": count,
        "addresses_per_s": round(count / (ended - started)),
        "answered_per_s": round(count / (ended - uploaded)),
        "addresses_per_session": round(count / max(counts["sessions"], 1), 1),
        "upload_s": round(uploaded - started, 2),
        "server_cpu_us": round((server.cpu_seconds() - cpu) / count * 1e6, 1),
        "dns_queries_per_address": round(counts["queries"] / count, 3),
        "recipients_per_session": round(counts["recipients"] / max(counts["sessions"], 1), 1),
        "peak_mib": round(server.peak_memory_mib()),
    }


def _by_the_law(figures: dict[str, Any], sessions: int, delay_ms: float) -> dict[str, Any]:
    """What so many sessions could answer in a second if nothing but the delay took time."""
    law = sessions * figures["addresses_per_session"] / (ROUND_TRIPS * delay_ms / 1000)
    return {"law_per_s": round(law), "of_law": round(figures["answered_per_s"] / law, 2)}


async def _hold_to_the_truth(client: Client, count: int) -> None:
    """Stream every result; raises `SystemExit` for one that is wrong, missing or there twice."""
    seen = bytearray(count)
    request = result_service_pb2.StreamResultsRequest(batch_id="load", max_results=1000)
    async for frame in client.stream_results(request):
        for result in frame.results:
            number = result.index
            expected = (
                EntryStatus.SUCCESS if is_known(number) else EntryStatus.MAILBOX_DOES_NOT_EXIST
            )
            if int(result.status) != expected.value:
                raise SystemExit(f"wrong: {result}")
            seen[number] += 1
    if seen != b"\1" * count:
        raise SystemExit(f"{seen.count(0)} answers are missing")


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", choices=SHAPES, default="dense")
    parser.add_argument("--entries", type=int)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--sessions", type=int, default=int(SETTINGS["max_sessions"]))
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--floor", action="store_true")
    options = parser.parse_args()
    shape = SHAPES[options.list]
    count = options.entries or shape.entries
    work = measure(
        shape,
        count,
        options.delay_ms,
        processes=options.processes,
        floor=options.floor,
        sessions=options.sessions,
    )
    figures = asyncio.run(work)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
