"""The command as people run it, and a mail internet beside it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mailvet.config import PREFIX
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world

COMMAND = (sys.executable, "-m", "mailvet")
TIMEOUT_S = 60.0
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale in which Python would not speak UTF-8 by itself."""

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
    """Run the command to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        env=environment(env),
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


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
    command = [*COMMAND, "serve", "--listen", "127.0.0.1:0", "--store", str(folder / "store.db")]
    command += ["--egress-canaries", "", "--drain-grace-s", "1", "--log-level", "error", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    try:
        said = process.stdout.readline().decode()
        assert " serves on " in said
        yield said.split()[-1]
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
        process.stdout.close()
