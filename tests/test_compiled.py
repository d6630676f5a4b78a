"""What is compiled: that it can be, and that it runs as Python does."""

import json
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from mailvet.compiled import is_compiled
from mailvet.model import status
from tests.cli.run import server
from tests.grpcurl import ROOT

SCRIPT = str(ROOT / "scripts" / "compile.py")
hazards: Callable[[str], list[tuple[int, str]]] = runpy.run_path(
    str(ROOT / "scripts" / "hazards.py")
)["hazards"]
CASES = tomllib.loads((ROOT / "tests" / "cases" / "hazards.toml").read_text("utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_is_compiled_to_something_else_is_found(case: dict[str, str]) -> None:
    """The line is named that mypyc would take, and have do something else."""
    marked = [
        number
        for number, line in enumerate(case["source"].splitlines(), 1)
        if line.endswith("# hazard")
    ]
    assert marked == [line for line, _ in hazards(case["source"])]


def test_no_module_that_is_compiled_has_any() -> None:
    """Each module of the list in pyproject.toml is there, and is compiled to what it says."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--hazards"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.slow
def test_mypyc_takes_every_module() -> None:
    """What mypyc refuses is found without a C compiler."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_the_service_says_which_it_is(tmp_path: Path) -> None:
    """The line that tells of the start tells whether the code is compiled."""
    assert is_compiled() is not str(status.__file__).endswith(".py")
    with server(tmp_path, "--log-level", "info"):
        pass
    lines = map(json.loads, (tmp_path / "said.log").read_text("utf-8").splitlines())
    (ready,) = [line for line in lines if line["event"] == "serve.ready"]
    assert is_compiled() is ready["compiled"]
