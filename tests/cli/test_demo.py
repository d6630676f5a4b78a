"""`mailvet demo` as a newcomer meets it."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.house import free_port
from tests.cli.run import COMMAND, environment, mailvet


def test_a_port_that_is_taken_is_said_at_once() -> None:
    """Nothing is started; the demo names the port and the flag that takes another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = mailvet("demo", "--listen", listen)
    assert (1, "") == (done.returncode, done.stdout)
    first, second = done.stderr.splitlines()
    assert f"cannot listen on {listen}" in first
    assert "`mailvet demo --listen 127.0.0.1:PORT` takes another port" in second


@pytest.mark.slow
def test_every_answer_agrees_with_the_world(tmp_path: Path) -> None:
    """The demo ends with 0, shows answers with their evidence, and minds nobody's settings."""
    done = mailvet(
        "demo",
        "--listen",
        f"127.0.0.1:{free_port()}",
        env={"MAILVET_STORE": str(tmp_path / "mine.db"), "MAILVET_HELO": "no name"},
    )
    assert (0, []) == (done.returncode, _said(done.stderr))
    assert 2 == done.stdout.count("answers agree with the truth of the world")
    assert "    smtp RCPT at " in done.stdout
    assert not (tmp_path / "mine.db").exists()


@pytest.mark.slow
def test_ctrl_c_ends_all_of_it() -> None:
    """At a terminal Ctrl-C reaches every process: exit code 130 and not a word more."""
    process = _start("--listen", f"127.0.0.1:{free_port()}")
    assert process.stdout is not None
    assert b"server are up" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (130, b"", []) == (process.returncode, out.strip(), _said(err.decode()))


@pytest.mark.slow
def test_keep_serves_until_ctrl_c() -> None:
    """After its own batches the demo's server answers others; Ctrl-C is its proper end."""
    listen = f"127.0.0.1:{free_port()}"
    process = _start("--listen", listen, "--keep")
    assert process.stdout is not None
    while b"Kept running" not in process.stdout.readline():
        assert process.poll() is None
    other = mailvet("verify", "--target", listen, "--quiet", "user1@plain.test")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (0, True) == (other.returncode, other.stdout.startswith("DELIVERABLE"))
    assert (0, []) == (process.returncode, _said(err.decode()))


def _said(err: str) -> list[str]:
    """The lines on standard error, but what a server on a busy machine may have to say of it."""
    return [line for line in err.splitlines() if '"event": "loop.held"' not in line]


def _start(*arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"PYTHONUNBUFFERED": "1"}),
    )


@pytest.mark.slow
def test_sigterm_leaves_nothing_behind() -> None:
    """Whoever only knows the demo's own process ends all of it: the port is free again."""
    listen = f"127.0.0.1:{free_port()}"
    process = _start("--listen", listen, "--keep")
    assert process.stdout is not None
    assert b"server are up" in process.stdout.readline()
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert (143, []) == (process.returncode, _said(err.decode()))
    with socket.create_server(("127.0.0.1", int(listen.rpartition(":")[2]))):
        pass
