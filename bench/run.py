"""Runs every bench some times and keeps the medians: `make bench`.

The service is the compiled one (`make compiled`); where a bench says so, the plain one.

    python -m bench.run [--repeats 5] [--only NAME ...] [--scale 1.0]

Each bench is a command of its own that prints one JSON line; it is run in a process of its own,
in turn with the others, so that a slow minute of the machine meets them all. Every run and the
median of every figure go to `bench/results/NAME.json`; `bench.report` makes the page of them. After
each run a reference loop tells how fast the machine was at that time.
"""

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
COMPILED, PLAIN = ROOT / "build" / "compiled", ROOT / "src"
REFERENCE_LOOP = """
import time
x = 0
for i in range(10_000_000):
    x += i
print(round(time.process_time(), 3))
"""
LIBRARIES = ("grpcio", "protobuf", "dnspython", "aiosmtplib", "uvloop")


class Bench(NamedTuple):
    """One command and how many entries it takes at full scale."""

    name: str
    module: str
    entries: int
    arguments: str = ""
    once: bool = False
    """Whether one run tells enough: a long one, whose figure is a slope or a peak."""
    is_plain: bool = False
    """Whether it is the service as Python that is measured."""


BENCHES = (
    *(
        Bench(f"verify_{name}_{delay}ms", "bench.verify", entries, f"--list {name} {extra}")
        for name, entries in (("dense", 100_000), ("middle", 100_000), ("tail", 20_000))
        for delay, extra in ((0, "--floor"), (20, "--delay-ms 20"))
    ),
    Bench("verify_middle_2processes", "bench.verify", 100_000, "--list middle --processes 2"),
    Bench("verify_middle_plain", "bench.verify", 100_000, "--list middle", is_plain=True),
    Bench("verify_tail_plain", "bench.verify", 20_000, "--list tail", is_plain=True),
    Bench("offline_1000", "bench.offline", 1_000),
    Bench("offline_10000", "bench.offline", 10_000),
    Bench("offline_100000", "bench.offline", 100_000),
    Bench("offline_1000000", "bench.offline", 1_000_000, once=True),
    Bench("wire", "bench.wire", 200_000),
    Bench("unary", "bench.unary", 4_000),
)


def command(bench: Bench, scale: float) -> list[str]:
    """Return what is run."""
    entries = max(100, int(bench.entries * scale))
    return [
        *(sys.executable, "-m", bench.module),
        *("--entries", str(entries)),
        *shlex.split(bench.arguments),
    ]


def run_once(bench: Bench, scale: float) -> dict[str, Any]:
    """Return the figures of one run; raises `SystemExit` when it failed."""
    done = subprocess.run(
        command(bench, scale),
        env=os.environ | {"PYTHONPATH": str(PLAIN if bench.is_plain else COMPILED)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{bench.name} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures | {"reference_loop_s": reference_loop_s()}


def reference_loop_s() -> float:
    """How fast the machine is just now: processor seconds for a loop known from other machines."""
    done = subprocess.run(
        [sys.executable, "-c", REFERENCE_LOOP], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def median(runs: Sequence[Any]) -> Any:
    """Return runs of the same shape as one, with the median in place of every number."""
    first = runs[0]
    if isinstance(first, dict):
        return {name: median([run[name] for run in runs]) for name in first}
    if isinstance(first, list):
        return [median(values) for values in zip(*runs, strict=True)]
    if isinstance(first, int | float):
        return round(statistics.median(runs), 3)
    return first


def machine() -> dict[str, Any]:
    """Return what a reader should know of where this was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "reference_loop_s": reference_loop_s(),
        "load_average": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
        **{name: version(name) for name in LIBRARIES},
    }


def keep(bench: Bench, scale: float, runs: list[dict[str, Any]]) -> None:
    """Write the runs of one bench and their median."""
    RESULTS.mkdir(exist_ok=True)
    shown = ["python", *command(bench, scale)[1:]]
    kept = {
        "command": shlex.join(shown),
        "machine": machine(),
        "median": median(runs),
        "runs": runs,
    }
    (RESULTS / f"{bench.name}.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def main() -> None:
    """Run the benches that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[bench.name for bench in BENCHES])
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of entries")
    options = parser.parse_args()
    if not COMPILED.exists():
        raise SystemExit(f"{COMPILED} is not there: make compiled")
    chosen = [bench for bench in BENCHES if not options.only or bench.name in options.only]
    runs: dict[str, list[dict[str, Any]]] = {bench.name: [] for bench in chosen}
    for turn in range(options.repeats):
        for bench in chosen:
            if turn and bench.once:
                continue
            started = time.monotonic()
            runs[bench.name].append(run_once(bench, options.scale))
            keep(bench, options.scale, runs[bench.name])
            seconds = time.monotonic() - started
            print(f"{turn + 1}/{options.repeats} {bench.name} {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
