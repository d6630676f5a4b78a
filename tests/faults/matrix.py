"""The kill matrix: seeds x failpoints, as many as fit into the time.

    python -m tests.faults.matrix --minutes 10 --seeds 200 [--from 17 --place settle.begun]
        [--record FILE]

Every place gets its first seed before any gets its second. A failure names place and seed, with
which it can be repeated. With a record, what it says was lived through well is not lived again.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mailvet import failpoints
from tests.faults.kill import live

AT_ONCE = 2
"""Histories side by side; each mostly waits for a process that starts."""


class Matrix:
    """Histories that were lived so far."""

    def __init__(
        self, histories: Iterator[tuple[int, str]], ends_at: float, record: Path | None
    ) -> None:
        self._histories = histories
        self._ends_at = ends_at
        self._record = record
        self._before = _read(record)
        self.lived: Counter[str] = Counter()
        self.deaths: Counter[str] = Counter()
        self.failed: list[str] = []

    async def go_on(self) -> None:
        """Live through one history after another until there are no more, or no more time."""
        for seed, place in self._histories:
            if f"{place} {seed}" in self._before:
                self.lived[place] += 1
                self.deaths[place] += self._before[f"{place} {seed}"]
                continue
            if time.monotonic() > self._ends_at:
                return
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                await self._live(place, seed, Path(folder))

    async def _live(self, place: str, seed: int, folder: Path) -> None:
        try:
            died = await live(place, seed, folder)
            self.deaths[place] += died
            if self._record is not None:
                with self._record.open("a", encoding="ascii") as record:
                    record.write(f"{place} {seed} {died}\n")
        except (Exception, asyncio.CancelledError) as error:
            self.failed.append(f"--place {place} --from {seed} --seeds 1: {error!r}")
            log = (folder / "serve.log").read_text("utf-8", "replace")
            sys.stdout.write(f"FAILED {self.failed[-1]}\n{log[-4000:]}\n")
        self.lived[place] += 1


def _read(record: Path | None) -> dict[str, int]:
    """How often the server died in each history of a record."""
    if record is None or not record.exists():
        return {}
    lines = [line.rpartition(" ") for line in record.read_text("ascii").splitlines()]
    return {history: int(died) for history, _, died in lines}


async def run(options: argparse.Namespace) -> int:
    """Run the matrix; returns the exit status."""
    places = [options.place] if options.place else list(failpoints.PLACES)
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    histories = iter(itertools.product(seeds, places))
    matrix = Matrix(histories, began + options.minutes * 60, options.record)
    await asyncio.gather(*(matrix.go_on() for _ in range(AT_ONCE)))
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{matrix.lived.total()} histories of {len(seeds) * len(places)} in {seconds:.0f} s: "
        f"{min(matrix.lived.values())} to {max(matrix.lived.values())} seeds for each of "
        f"{len(matrix.lived)} failpoints, {matrix.deaths.total()} deaths, "
        f"{len(matrix.failed)} failures\n"
    )
    sys.stdout.write("".join(f"  {place}: {n} deaths\n" for place, n in matrix.deaths.items()))
    sys.stdout.write("".join(f"{line}\n" for line in matrix.failed))
    return 1 if matrix.failed else 0


def main() -> int:
    """Read the command line and run the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.matrix", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="no history begins after them")
    parser.add_argument("--seeds", type=int, default=200, help="for each failpoint")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--record", type=Path, help="file of what was lived through, added to")
    parser.add_argument("--place", choices=failpoints.PLACES, help="only this failpoint")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
