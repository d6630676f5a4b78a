"""A driver: a process that carries out commands with the client of its language."""

import asyncio
import json
import os
import sys
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
LINE_BYTES = 1 << 24
"""A frame of a thousand results, each with all its facts."""
START_TIMEOUT_S = 60.0
TOOLS = [ROOT / ".venv-proto" / "bin", ROOT / ".tools" / "bin"]
"""Where Go and Node.js are when the machine has none (`make tools`)."""


def environment() -> dict[str, str]:
    """Ours, with those tools on the path."""
    path = os.pathsep.join([os.environ["PATH"], *map(str, TOOLS)])
    return {**os.environ, "PATH": path}


@dataclass(frozen=True, slots=True)
class Language:
    """A row of drivers.toml."""

    name: str
    says: str
    build: list[list[str]]
    run: list[str]

    def command(self) -> list[str]:
        """What starts the driver."""
        return [word.replace("{python}", sys.executable) for word in self.run]


def languages() -> dict[str, Language]:
    """Every driver there is, by its name."""
    rows = tomllib.loads((FOLDER / "drivers.toml").read_text("utf-8"))
    return {name: Language(name, **row) for name, row in rows.items()}


class Driver:
    """One process, from `start` to `stop`."""

    def __init__(self, language: Language, folder: Path) -> None:
        self.language = language
        self.hello: dict[str, Any] = {}
        """What it calls itself in the user agent, and its version."""
        self._errors = folder / f"{language.name}.stderr"
        self._process: asyncio.subprocess.Process | None = None
        self._commands = 0

    async def start(self) -> None:
        """Start it, and wait until it has said who it is."""
        try:
            with self._errors.open("wb") as errors:
                self._process = await asyncio.create_subprocess_exec(
                    *self.language.command(),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                    limit=LINE_BYTES,
                    cwd=ROOT,
                    env=environment(),
                )
        except FileNotFoundError:
            raise AssertionError(
                f"the driver for {self.language.says} is not built: `make conformance` builds it"
            ) from None
        async with asyncio.timeout(START_TIMEOUT_S):
            self.hello = await self._line()

    async def stop(self) -> None:
        """End it: it ends by itself, properly, once there are no more commands."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"{self.language.says}: the driver does not end") from None
        assert 0 == code, f"{self.language.says}: the driver ended with {code}"

    async def kill(self) -> None:
        """End it in the middle of a command."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether it waits for commands."""
        return self._process is not None and self._process.returncode is None

    async def do(self, command: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield what it says of a command: `saw` any number of times, then `ok` or `error`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._commands += 1
        line = json.dumps({"id": self._commands, **command}) + "\n"
        self._process.stdin.write(line.encode())
        await self._process.stdin.drain()
        while True:
            said = await self._line()
            assert said.pop("id") == self._commands, f"an answer to another command: {said}"
            yield said
            if "saw" not in said:
                return

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            code = await self._process.wait()
            raise AssertionError(f"the driver ended with {code}: {self.errors()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def errors(self) -> str:
        """What it wrote to standard error."""
        return self._errors.read_text("utf-8", "replace")[-4000:]

    def resident_mib(self) -> float:
        """Its resident set now, in MiB (Linux)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
