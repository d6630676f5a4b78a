"""`python -m mailvet.testbed` as a process."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from mailvet.testbed.__main__ import main

WORLD = '[[host]]\nname = "mx.a.test"\naddresses = ["127.3.2.1"]\n'


async def run(*arguments: str) -> asyncio.subprocess.Process:
    """Start the program with its outputs in pipes."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mailvet.testbed",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_says_where_it_is_and_ends_when_told(tmp_path: Path, number: int) -> None:
    """One JSON line when everything listens; a signal ends it with status 0 and no noise."""
    path = tmp_path / "w.toml"
    path.write_text(WORLD, encoding="utf-8")
    process = await run(str(path), "--ready-json", "--no-record")
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    reader, writer = await asyncio.open_connection("127.3.2.1", ready["smtp_port"])
    assert b"220 mx.a.test ESMTP ready\r\n" == await reader.readline()
    process.send_signal(number)
    out, errors = await process.communicate()
    writer.close()
    assert (0, b"", b"") == (process.returncode, out, errors)
    assert (["127.0.0.0/8"], 1, 0) == (ready["allow_network"], ready["hosts"], ready["entries"])


def test_a_wrong_world_is_a_message_and_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file and the path inside it are named; no traceback."""
    path = tmp_path / "w.toml"
    path.write_text("[[zone]]\n", encoding="utf-8")
    assert 1 == main([str(path)])
    assert f"{path}: zone[0].domain: is missing" in capsys.readouterr().err


def test_a_missing_world_is_a_message_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is not there is named."""
    assert 1 == main(["nowhere.toml"])
    assert "nowhere.toml: " in capsys.readouterr().err
