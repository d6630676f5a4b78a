"""What a scenario says, read from its file; a word that has no meaning here is refused."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
REAL = "real"
WAIT_S = 60.0
"""How long a step may take when it does not say."""

SIZE = "CONFORMANCE_SIZE"
"""The environment variable that makes a scenario that has a size smaller or larger."""

_OF_SCENARIO = {"says", "slow", "size", "server", "settings", "connect", "files", "steps", "heard"}
_OF_STEP = {"do", "see", "ok", "error", "results", "acks", "faults", "within_s"}
_OF_STEP |= {"at_least_ms", "memory_mib", "progress", "wrote"}
_FAULTS = {"kill", "drain", "cut", "silence", "erase"}
_DETAILS = {
    "connect": {"target", "key", "patience_ms", "keepalive_ms", "tls_roots"},
    "check_server": set(),
    "call": {"method", "request", "timeout_ms"},
    "verify_email": {"address", "timeout_ms"},
    "create_batch": {"request"},
    "upload": {"batch_id", "launch", "entries", "made"},
    "stream_results": {"request", "pause_ms", "leave_after", "brief"},
    "watch": {"batch_id", "leave_after"},
    "verify_file": {"path", "batch"},
    "upload_file": {"batch_id", "path", "settings", "launch"},
    "export": {"request", "path"},
    "explain_email": {"address", "leave_after"},
}
"""What each command has beside what is expected of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to a server in the middle of a step."""

    do: str
    """`kill` -9 or `drain` (SIGTERM), and start again; `cut` every connection; `silence`
    the network until a client dials anew; `erase` the batch."""
    after: int
    """Once a client has seen so much: results, entries or bytes that are acknowledged, bytes of an
    export, or frames of a watch."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and what has to come of it."""

    command: dict[str, Any]
    ok: Any = None
    error: Any = None
    see: list[Any] | None = None
    """What is seen, in this order, and nothing else."""
    results: int | None = None
    """So many entries have a result, each exactly one."""
    acks: int | None = None
    """Acknowledged counts never fall, and end here."""
    progress: list[int] | None = None
    """What the callback hears last; its counts never fall."""
    wrote: dict[str, str] = field(default_factory=dict)
    """What files have become, by path."""
    faults: list[Fault] = field(default_factory=list)
    within_s: float = WAIT_S
    at_least_ms: float = 0
    memory_mib: float | None = None
    """The driver's memory grows by no more, once it has seen a tenth of the results or acks."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A file of this folder."""

    name: str
    says: str
    server: Any
    """`real`, or what a scripted one answers: for each method a list of answers, of which the
    last stays."""
    steps: list[Step]
    slow: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    """Of `mailvet serve`."""
    connect: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    """Text files by name, in `$folder`."""
    heard: dict[str, list[Any]] = field(default_factory=dict)
    """What a scripted server was sent, by method, and nothing else of that method."""


@cache
def scenarios() -> list[Scenario]:
    """Every scenario, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.yaml"))]


def read(path: Path) -> Scenario:
    """Read a scenario; raises `ValueError` when it has a word too many or too few."""
    document = yaml.safe_load(path.read_text("utf-8"))
    _refuse(path, document.keys() - _OF_SCENARIO)
    if "size" in document:
        size = int(os.environ.get(SIZE, document.pop("size")))
        document["steps"] = _sized(document["steps"], size)
    steps = [_step(path, step) for step in document.pop("steps")]
    return Scenario(name=path.stem, steps=steps, **document)


def _sized(document: Any, size: int) -> Any:
    """A document with `$size`, and `$size * 0.4`, as numbers."""
    if isinstance(document, dict):
        return {name: _sized(value, size) for name, value in document.items()}
    if isinstance(document, list):
        return [_sized(one, size) for one in document]
    if not isinstance(document, str) or not document.startswith("$size"):
        return document
    _, _, share = document.partition("*")
    return int(size * float(share or 1))


def _step(path: Path, step: dict[str, Any]) -> Step:
    name = step["do"]
    if name not in _DETAILS:
        raise ValueError(f"{path.name}: no such command: {name}")
    command = {word: value for word, value in step.items() if word == "do" or word not in _OF_STEP}
    _refuse(path, command.keys() - {"do"} - _DETAILS[name])
    faults = [Fault(**fault) for fault in step.pop("faults", ())]
    _refuse(path, {fault.do for fault in faults} - _FAULTS)
    expected = {word: value for word, value in step.items() if word not in command}
    return Step(command, faults=faults, **expected)


def _refuse(path: Path, words: set[str]) -> None:
    if words:
        raise ValueError(f"{path.name}: no such word: {', '.join(sorted(words))}")
