"""Real programs as peers: Postfix, Postgrey and NSD on loopback, started and ended by process id.

Their configurations are the files in `postfix/` and `nsd/`, with a few @NAMES@ filled in.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

HERE = Path(__file__).parent
INSTALL = "run tests/real/install.sh as root first (make test-real does)"

START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0
NAME_SERVER = "127.3.0.53"
POLICY_HOST = "127.3.0.3"
EXCHANGERS = [f"127.3.0.{number}" for number in (*range(1, 18), 19)]
GREYLIST_S = 2
"""Whole seconds only; long enough that a first attempt's own retries come too early."""


@dataclass(frozen=True, slots=True)
class Internet:
    """Where a verifier finds the programs."""

    resolver: str
    smtp_port: int


@contextlib.contextmanager
def real_internet() -> Iterator[Internet]:
    """Start every program, and end them all."""
    assert os.geteuid() == 0, f"Postfix needs root; {INSTALL}"
    with contextlib.ExitStack() as running:
        root = running.enter_context(_folder())
        names = {
            "DNS_PORT": str(_free_port([NAME_SERVER])),
            "SMTP_PORT": str(_free_port(EXCHANGERS)),
            "POSTGREY_PORT": str(_free_port([POLICY_HOST])),
        }
        running.enter_context(_nsd(root / "nsd", names))
        running.enter_context(_postgrey(root / "postgrey", names))
        running.enter_context(_postfix(root / "postfix", names))
        yield Internet(f"{NAME_SERVER}:{names['DNS_PORT']}", int(names["SMTP_PORT"]))


@contextlib.contextmanager
def _nsd(root: Path, names: Mapping[str, str]) -> Iterator[None]:
    _fill(HERE / "nsd", root, {**names, "ROOT": str(root)})
    argv = [_program("nsd"), "-d", "-c", str(root / "nsd.conf")]
    with _running(argv, root / "log", (NAME_SERVER, int(names["DNS_PORT"]))):
        yield


@contextlib.contextmanager
def _postgrey(root: Path, names: Mapping[str, str]) -> Iterator[None]:
    root.mkdir()
    user = pwd.getpwnam("postgrey")
    os.chown(root, user.pw_uid, user.pw_gid)
    port = int(names["POSTGREY_PORT"])
    argv = [
        _program("postgrey"),
        f"--inet={POLICY_HOST}:{port}",
        f"--dbdir={root}",
        f"--pidfile={root}/pid",
        f"--delay={GREYLIST_S}",
        "--auto-whitelist-clients=0",
        "--whitelist-clients=/dev/null",
        "--whitelist-recipients=/dev/null",
    ]
    with _running(argv, root / "log", (POLICY_HOST, port)):
        yield


@contextlib.contextmanager
def _postfix(root: Path, names: Mapping[str, str]) -> Iterator[None]:
    for folder in ("queue", "data"):
        (root / folder).mkdir(parents=True)
    os.chown(root / "data", pwd.getpwnam("postfix").pw_uid, -1)
    _fill(HERE / "postfix", root / "conf", {**names, "ROOT": str(root)})
    _write_certificate(root / "conf" / "chain.pem")
    postfix = [_program("postfix"), "-c", str(root / "conf")]
    subprocess.run([*postfix, "check"], check=True, timeout=START_TIMEOUT_S)
    # The master itself, not the start script: a child of ours that one signal ends.
    master = ["/usr/lib/postfix/sbin/master", "-c", str(root / "conf"), "-d"]
    with _running(master, root / "start.log", (EXCHANGERS[0], int(names["SMTP_PORT"]))):
        yield


@contextlib.contextmanager
def _running(argv: list[str], log: Path, listens: tuple[str, int]) -> Iterator[None]:
    """Run a program that stays in the foreground until it listens, and end it afterwards."""
    with log.open("ab") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_until_it_listens(process, listens, log)
        yield
    finally:
        _end(process)


def _wait_until_it_listens(
    process: "subprocess.Popen[bytes]", listens: tuple[str, int], log: Path
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _listens(listens):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"{process.args!r} did not start:\n{log.read_text()}")
        time.sleep(0.05)


def _listens(address: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to the program, which ends its children; what is left of its group is killed."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(END_TIMEOUT_S)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the programs' own users can reach, unlike pytest's."""
    root = Path(tempfile.mkdtemp(prefix="mailvet-real-"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root)


def _fill(source: Path, target: Path, names: Mapping[str, str]) -> None:
    target.mkdir(parents=True)
    for path in source.iterdir():
        text = path.read_text("utf-8")
        for name, value in names.items():
            text = text.replace(f"@{name}@", value)
        (target / path.name).write_text(text, "utf-8")


def _write_certificate(path: Path) -> None:
    issued = trustme.CA().issue_cert("mx.real.test")
    path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())


def _program(name: str) -> str:
    path = shutil.which(name, path="/usr/sbin:/usr/bin")
    assert path is not None, f"there is no {name}; {INSTALL}"
    return path


def _free_port(addresses: list[str]) -> int:
    """A port that nobody uses on any of the addresses, over UDP and TCP."""
    with socket.socket() as chosen:
        chosen.bind((addresses[0], 0))
        port: int = chosen.getsockname()[1]
    with contextlib.ExitStack() as bound:
        for address in addresses:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                bound.enter_context(socket.socket(type=kind)).bind((address, port))
    return port
