"""The command as people run it, and a mail internet beside it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mailvet.config import PREFIX
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from tests import nursery

COMMAND = (sys.executable, "-m", "mailvet")
TIMEOUT_S = 60.0
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale in which Python would not speak UTF-8 by itself."""
INTERPRETERS_OWN = {*PLAIN_LOCALE, "LANG", "PYTHONPROFILEIMPORTTIME"}
"""Variables that take effect when Python starts."""

WORLD = """
name = "cli"
any_names = true

[[host]]
name = "mx.cli.test"
addresses = ["127.0.79.1"]
domains = ["cli.test", "d{0..19}.cli.test"]
mailboxes = { users = 20, full = ["full"] }

[[host]]
name = "mx.grey.test"
addresses = ["127.0.79.2"]
personality = "greylists"
options = { delay_s = 0.0 }
domains = ["grey.test"]
mailboxes = { users = 5 }

[[host]]
name = "mx.silent.test"
addresses = ["127.0.79.3"]
personality = "silent"
domains = ["silent.test"]
mailboxes = { users = 5 }

[[host]]
name = "mx.throwaway.test"
addresses = ["127.0.79.4"]
domains = ["mailinator.com"]
mailboxes = { users = 5 }
"""


def environment(more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The environment without anybody's own mailvet settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return own | dict(more)


def mailvet(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] = MappingProxyType({})
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; with variables for Python itself, in a Python of its own."""
    run_it = _in_new_python if env.keys() & INTERPRETERS_OWN else _forked
    code, out, err = run_it(arguments, stdin, environment(env))
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess([*COMMAND, *arguments], code, out, err)


def _in_new_python(
    arguments: tuple[str, ...], stdin: bytes, env: dict[str, str]
) -> tuple[int, str, str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        env=env,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _forked(arguments: tuple[str, ...], stdin: bytes, env: dict[str, str]) -> tuple[int, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        given.write_bytes(stdin)
        child = nursery.spawn(arguments, env, out, err, given)
        try:
            code = child.join(TIMEOUT_S)
        finally:
            child.send_signal(signal.SIGKILL)
        return code, out.read_bytes().decode(), err.read_bytes().decode()


def json_lines(text: str) -> list[dict[str, Any]]:
    """The objects of JSON Lines output."""
    return [json.loads(line) for line in text.splitlines()]


@contextmanager
def mail_internet() -> Iterator[list[str]]:
    """Run the world in a thread; yields the flags that lead a command to it."""
    bed = Testbed(parse_world(WORLD), recorded_sessions=0)
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def live(over: asyncio.Event) -> None:
        async with bed:
            ready.set()
            await over.wait()

    over = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(live(over),))
    thread.start()
    assert ready.wait(10)
    try:
        yield flags(bed)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def flags(bed: Testbed) -> list[str]:
    """The network flags of a bed."""
    found = ["--resolver", bed.resolver, "--smtp-port", str(bed.smtp_port), "--helo", "h.cli.test"]
    for network in bed.allow_networks:
        found += ["--allow-network", network]
    return found


def write(path: Path, content: bytes) -> str:
    """Write a file and return its name."""
    path.write_bytes(content)
    return str(path)


@contextmanager
def server(folder: Path, *more: str) -> Iterator[str]:
    """Run `mailvet serve` on a free port over a store in the folder; yields its target."""
    command = ["serve", "--listen", "127.0.0.1:0", "--store", str(folder / "store.db")]
    command += ["--egress-canaries", "", "--drain-grace-s", "1", "--log-level", "error", *more]
    # A pipe with a name: reading from it waits for what the server says.
    pipe = folder / "said"
    os.mkfifo(pipe)
    process = nursery.spawn(command, environment(), pipe, folder / "said.log")
    with pipe.open(encoding="utf-8") as out:
        try:
            said = out.readline()
            assert " serves on " in said
            yield said.split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.join(TIMEOUT_S)
            pipe.unlink()
