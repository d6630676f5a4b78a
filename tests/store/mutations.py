"""Breaks the store on purpose, one way at a time: its tests must notice (`mutations.toml`).

    python -m tests.store.mutations [NAME ...]

Each mutation is made in a copy of the source, against which the tests of the store run until
the first fails. Ends with 1 when a mutation survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TESTS = ("tests/store", "tests/faults/test_store_file.py")
TIMEOUT_S = 240
"""Some mutations let tests wait for what never comes; that counts as noticed."""


class Mutation(NamedTuple):
    """One way to break a module of the store."""

    name: str
    module: str
    before: str
    after: str


def mutations() -> list[Mutation]:
    """Every way that is known."""
    rows = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text("utf-8"))["mutation"]
    return [Mutation(**row) for row in rows]


def mutated(mutation: Mutation, source: Path) -> str:
    """A module's text with the mutation made; raises `ValueError` when its place has changed."""
    path = source / "mailvet" / "store" / f"{mutation.module}.py"
    text = path.read_text("utf-8")
    before, after = (part.strip("\n") if "\n" in part else part for part in mutation[2:])
    if text.count(before) != 1:
        raise ValueError(
            f"{path.name} has {text.count(before)} times, instead of once, what the mutation"
            f" {mutation.name!r} changes; say in mutations.toml what it should change now: {before}"
        )
    return text.replace(before, after)


def noticed_by(mutation: Mutation) -> str | None:
    """The first test that fails with a mutation made; None when it survives."""
    with tempfile.TemporaryDirectory(prefix="mailvet-mutation-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        module = source / "mailvet" / "store" / f"{mutation.module}.py"
        module.write_text(mutated(mutation, source), "utf-8")
        tests = (*TESTS, "-x", "-q", "-p", "no:cacheprovider", "--timeout", "30")
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "pytest", *tests],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "the patience of this check"
    return None if ended.returncode == 0 else _first_failure(ended.stdout)


def _first_failure(output: str) -> str:
    words = [line.split() for line in output.splitlines()]
    failed = [line[1] for line in words if line[:1] in (["FAILED"], ["ERROR"]) and len(line) > 1]
    return failed[0] if failed else "a run that ended early"


def main(names: list[str]) -> int:
    """Try the mutations that are named, or all."""
    survivors = 0
    for mutation in mutations():
        if names and mutation.name not in names:
            continue
        began = time.monotonic()
        test = noticed_by(mutation)
        survivors += test is None
        told = "SURVIVED" if test is None else test.removeprefix("tests/store/")
        sys.stdout.write(f"| {mutation.name} | {told} | {time.monotonic() - began:.0f} s |\n")
        sys.stdout.flush()
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
