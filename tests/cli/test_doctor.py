"""`mailvet doctor`, in front of a mail internet."""

from pathlib import Path

import pytest

from tests.cli.run import json_lines, mailvet

CHECKS = ["settings", "tls", "listen", "store", "open files", "clock", "resolver"]


def flags(network: list[str], folder: Path, *more: str) -> list[str]:
    """What a server on this host would be started with."""
    canary = ["--egress-canaries", "cli.test", "--helo", "mx.cli.test"]
    store = ["--store", str(folder / "store.db"), "--listen", "127.0.0.1:0"]
    return [*network, *canary, *store, *more]


def test_a_host_that_can_verify(network: list[str], tmp_path: Path) -> None:
    """Each need has its line, and the exit code is 0."""
    done = mailvet("doctor", "--json", *flags(network, tmp_path))
    found = {line["check"]: line for line in json_lines(done.stdout)}
    assert (0, "") == (done.returncode, done.stderr)
    assert CHECKS == list(found)[:7]
    assert "our name" == list(found)[-1]
    (out,) = [line for check, line in found.items() if check.endswith(" out")]
    assert ("ok", "1 of 1 exchangers greet us") == (out["health"], out["found"])
    for check in ("settings", "tls", "listen", "store", "resolver", "our name"):
        assert "ok" == found[check]["health"], found[check]
    assert [] == list(tmp_path.iterdir())


def test_what_is_wrong_is_told_with_the_way_out(network: list[str], tmp_path: Path) -> None:
    """No line without help, and the exit code is 1."""
    pair = ["--tls-cert", str(tmp_path / "no.pem"), "--tls-key", str(tmp_path / "no.key")]
    missing = str(tmp_path / "nowhere" / "store.db")
    done = mailvet(
        "doctor",
        *flags(network, tmp_path, *pair, "--store", missing, "--egress-canaries", "silent.test"),
        "--time-scale",
        "0.02",
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("failed")]
    assert 1 == done.returncode
    assert ["settings", "tls", "store"] == [line.split()[1] for line in lines[:3]]
    assert "no.pem" in lines[1]
    assert "create the folder" in lines[2]
    assert "none of 1 exchangers greets us (silent.test)" in lines[3]
    assert "have your provider open it" in lines[3]


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ("in memory: nothing is kept", ["--store", ":memory:"]),
        ("no.such.test has no address in DNS", ["--helo", "no.such.test"]),
    ],
)
def test_what_may_be_meant_is_a_warning(
    told: str, more: list[str], network: list[str], tmp_path: Path
) -> None:
    """It is told, and the host can still verify."""
    done = mailvet("doctor", *flags(network, tmp_path, *more))
    assert 0 == done.returncode, done.stdout
    assert any(told in line for line in done.stdout.splitlines())


def test_a_resolver_that_does_not_answer(tmp_path: Path) -> None:
    """The name servers are what to mend."""
    done = mailvet(
        "doctor", *flags([], tmp_path, "--resolver", "127.0.0.1:9", "--dns-timeout-s", "0.3")
    )
    (line,) = [line for line in done.stdout.splitlines() if " resolver " in line]
    assert (1, "failed") == (done.returncode, line.split()[0])
    assert "127.0.0.1:9 must answer" in line
