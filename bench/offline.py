"""Entries that are decided without SMTP: uploaded, answered and streamed out of a real server.

    python -m bench.offline [--entries 100000]

A third has bad syntax, a third are duplicates, a third has a domain that does not exist. Results
are read while there are more to come, as callers do. Prints the seconds of each step and the
server's peak memory, and checks the counts.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mailvet.model.status import EntryStatus
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import FreshServerProcess

NOBODY = parse_world("""
name = "nobody"

[[host]]
name = "mx.there.test"
addresses = ["127.0.78.1"]
domains = ["there.test"]
""")
"""A world in which none of the domains below exists."""
DOMAINS = 1000
PATIENCE_S = "15"
"""For the name server, which has its processor to share: a timeout would be a wrong answer."""


def addresses(count: int) -> Iterator[str]:
    """Yield a third each of bad syntax, first sights of dead domains, and their repeats."""
    for number in range(count):
        third, kind = divmod(number, 3)
        if kind == 0:
            yield f"user{third}..x@gone{third % DOMAINS}.test"
        else:
            yield f"user{third}@gone{third % DOMAINS}.test"


async def measure(count: int, folder: Path) -> dict[str, float]:
    """Run once; returns seconds by step, MiB and rates."""
    async with Testbed(NOBODY) as bed:
        server = FreshServerProcess(bed, folder, window_entries="5000", dns_timeout_s=PATIENCE_S)
        await server.start()
        try:
            return await _measure(server, count)
        finally:
            await server.stop()


async def _measure(server: FreshServerProcess, count: int) -> dict[str, float]:
    async with server.client() as client:
        cpu, started = server.cpu_seconds(), time.perf_counter()
        await client.create_batch(batch_service_pb2.CreateBatchRequest(batch_id="offline"))
        entries = (batch_pb2.Entry(input_data=text) for text in addresses(count))
        await client.upload("offline", entries, launch=True)
        uploaded = time.perf_counter()
        statuses: Counter[str] = Counter()
        request = result_service_pb2.StreamResultsRequest(batch_id="offline", max_results=1000)
        async for frame in client.stream_results(request):
            statuses.update(EntryStatus(result.status).name for result in frame.results)
        streamed = time.perf_counter()
    _check(statuses, count)
    return {
        "entries": count,
        "upload_s": round(uploaded - started, 2),
        "answer_and_stream_s": round(streamed - uploaded, 2),
        "entries_per_s": round(count / (streamed - started)),
        "server_cpu_us_per_entry": round((server.cpu_seconds() - cpu) / count * 1e6, 1),
        "server_peak_mib": round(server.peak_memory_mib(), 1),
    }


def _check(statuses: Counter[str], count: int) -> None:
    kinds = Counter(number % 3 for number in range(count))
    expected = {
        "DOUBLE_DOT_SEQUENCE": kinds[0],
        "DOMAIN_DOES_NOT_EXIST": kinds[1],
        "DUPLICATE": kinds[2],
    }
    if expected != dict(statuses):
        raise SystemExit(f"wrong answers: {dict(statuses)}, expected {expected}")


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(options.entries, Path(folder)))))


if __name__ == "__main__":
    main()
