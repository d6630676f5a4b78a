"""The real grpcurl, the lines that our pages show, and a server of the demo for them."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.run import server

ROOT = Path(__file__).parent.parent
GRPCURL = ROOT / ".tools" / "bin" / "grpcurl"
TARGET = "127.0.0.1:50051"
"""What pages call; tests call a free port instead."""


@contextmanager
def demo_server(folder: Path, *more: str) -> Iterator[str]:
    """Run a server in front of the demo's mail internet; yields its target."""
    command = [sys.executable, "-m", "mailvet.testbed", "demo", "--ready-json", "--no-record"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        bed = json.loads(process.stdout.readline())
        flags = ["--resolver", bed["resolver"], "--smtp-port", str(bed["smtp_port"])]
        flags += ["--helo", "pages.mailvet.test"]
        flags += [flag for one in bed["allow_network"] for flag in ("--allow-network", one)]
        with server(folder, *flags, *more) as target:
            yield target
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def grpcurl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the real grpcurl."""
    assert GRPCURL.is_file(), "grpcurl is missing: `make tools` installs it"
    return subprocess.run(
        [str(GRPCURL), *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def run_line(line: str, target: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of a page as it stands, but for the target."""
    program, *arguments = shlex.split(line)
    assert "grpcurl" == program
    assert TARGET in arguments, line
    return grpcurl(*(target if one == TARGET else one for one in arguments))


def blocks(page: str, language: str = "") -> list[str]:
    """The fenced blocks of a page, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def documents(text: str) -> list[Any]:
    """JSON documents one after the other, as grpcurl prints a stream."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found
