"""Servers without the two seconds that a Python process needs to import and read everything.

`python -m tests.nursery` imports and reads what `mailvet serve` needs and then forks a process for
every line that asks for one; each is a process of its own in every other way: own memory, sockets,
signals, exit. `spawn` is the other side, for any number of tests and event loops.
"""

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from io import RawIOBase
from pathlib import Path
from typing import Any

from mailvet import failpoints
from mailvet.cli import serve, verify
from mailvet.cli.main import GRPC_ENVIRONMENT, main
from mailvet.lists.loading import load_lists
from mailvet.serve.process import read_tables, spare_the_collector

NEEDED = (serve, verify)
"""Imported for what comes with them: all that servers and most commands need, once for all."""


NOTHING = Path(os.devnull)


class Child:
    """A process that was forked; the part of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int, ended: "Future[int]") -> None:
        self.pid = pid
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._ended.result() if self._ended.done() else None

    def join(self, timeout_s: float) -> int:
        """Return the exit code; raises `TimeoutError` when it has not ended by then."""
        return self._ended.result(timeout_s)

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        return await asyncio.shield(asyncio.wrap_future(self._ended))

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class _Nursery:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, **GRPC_ENVIRONMENT},
        )
        self._born: list[Future[int]] = []
        self._living: dict[int, Future[int]] = {}
        self._lock = threading.Lock()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        atexit.register(self._close)

    def spawn(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        err: Path | None = None,
        stdin: Path = NOTHING,
    ) -> Child:
        """Fork `mailvet ARGUMENTS`, as `spawn` says."""
        born: Future[int] = Future()
        ask = {
            "arguments": [*arguments],
            "environment": {**environment},
            "files": [str(stdin), str(out), str(err or out)],
        }
        assert self._process.stdin is not None
        with self._lock:
            self._born.append(born)
            self._process.stdin.write(json.dumps(ask).encode() + b"\n")
            self._process.stdin.flush()
        pid = born.result(timeout=60)
        return Child(pid, self._living[pid])

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told: dict[str, int] = json.loads(line)
            if "code" in told:
                self._living[told["pid"]].set_result(told["code"])
            else:
                self._living[told["pid"]] = Future()
                self._born.pop(0).set_result(told["pid"])

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._listening.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@cache
def _nursery() -> _Nursery:
    return _Nursery()


def spawn(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    out: Path,
    err: Path | None = None,
    stdin: Path = NOTHING,
) -> Child:
    """Run `mailvet ARGUMENTS` in a process of its own.

    What it says is appended to the file `out`, what it says on standard error to `err`, or to the
    same. Variables that Python itself reads at its start have no effect.
    """
    return _nursery().spawn(arguments, environment, out, err, stdin)


def _nurse(asked: RawIOBase, told: RawIOBase) -> dict[str, Any] | None:
    """Fork for every line; returns in each child with what it is to do, and None at the end."""
    woken, waker = os.pipe2(os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(waker)
    while True:
        readable, _, _ = select.select([asked.fileno(), woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _tell_of_the_dead(told)
        if asked.fileno() in readable:
            line = asked.readline()
            if not line:
                return None
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (woken, waker):
                    os.close(descriptor)
                what: dict[str, Any] = json.loads(line)
                return what
            _tell(told, {"pid": pid})


def _tell_of_the_dead(told: RawIOBase) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            _tell(told, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(told: RawIOBase, what: dict[str, int]) -> None:
    told.write(json.dumps(what).encode() + b"\n")


def _grow_up(what: dict[str, Any]) -> None:
    """Become the process that was asked for."""
    os.environ.clear()
    os.environ.update(what["environment"])
    for target, name in enumerate(what["files"]):
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND if target else os.O_RDONLY
        opened = os.open(name, how)
        os.dup2(opened, target)
        os.close(opened)
    sys.argv = ["mailvet", *what["arguments"]]


def _main() -> None:
    load_lists()  # read afresh in each, but not what it is made of
    read_tables()
    spare_the_collector()
    # Unbuffered: what is asked next must not wait in a buffer that select does not see.
    with os.fdopen(os.dup(0), "rb", 0) as asked, os.fdopen(os.dup(1), "wb", 0) as told:
        what = _nurse(asked, told)
    if what is None:
        return
    _grow_up(what)
    failpoints.arm(os.environ)
    main()


if __name__ == "__main__":
    _main()
