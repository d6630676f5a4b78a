"""The command line itself: commands, help, versions, mistakes."""

import os
import sys

import pytest

from mailvet import __version__
from mailvet.cli.main import main, parser
from mailvet.config import Settings
from mailvet.model import status
from tests.cli.run import PLAIN_LOCALE, mailvet

COMMANDS = (
    "serve",
    "demo",
    "verify",
    "watch",
    "export",
    "batches",
    "call",
    "keys",
    "audit",
    "usage",
    "balance",
    "backup",
    "restore",
    "migrate",
    "config",
    "doctor",
    "parse",
    "mx",
    "probe",
    "reply",
    "lists",
    "provider",
)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process: exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command stands in `mailvet --help`, and only those."""
    code, out, _ = run(capsys, "--help")
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("    ")]
    assert (0, COMMANDS) == (code, tuple(listed))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """`--help` of a command ends well and names the command."""
    code, out, err = run(capsys, command, "--help")
    assert (0, "") == (code, err)
    assert out.startswith(f"usage: mailvet {command} ")


def test_serve_has_a_flag_for_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """Each setting is a flag with its environment name, but for the tables of the file."""
    _, out, _ = run(capsys, "serve", "--help")
    missing = [
        name
        for name in Settings.model_fields.keys() - {"identity", "client_certificate"}
        if f"--{name.replace('_', '-')}" not in out or f"MAILVET_{name.upper()}" not in out
    ]
    assert [] == missing


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says the package's version, and whether it is compiled."""
    beside = "" if str(status.__file__).endswith(".py") else " (compiled)"
    assert (0, f"mailvet {__version__}{beside}\n", "") == run(capsys, "--version")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("verfy",), "invalid choice: 'verfy'"),
        (("verify",), "the following arguments are required: FILE|ADDRESS"),
        (("verify", "--qualty", "high", "a@b.test"), "unrecognized arguments: --qualty"),
        (("verify", "--qual", "high", "a@b.test"), "unrecognized arguments: --qual"),
        (("verify", "--quality", "best", "a@b.test"), "invalid choice: 'best'"),
        (("verify", "--json", "--csv", "a@b.test"), "not allowed with argument --json"),
        (("batches", "show", "b", "--prot", "1"), "unrecognized arguments"),
        (("keys", "make"), "invalid choice: 'make'"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    """Exit code 2, the usage and the mistake on standard error."""
    code, out, err = run(capsys, *arguments)
    assert (2, "") == (code, out)
    assert told in err


@pytest.mark.parametrize(
    "arguments", [("parse", "x@example.org"), ("reply", "550 no"), ("mx", "--help")]
)
def test_hand_tools_import_no_server_library(arguments: tuple[str, ...]) -> None:
    """What makes the server slow to start is not theirs."""
    done = mailvet(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert 0 == done.returncode
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "mailvet.cli.main" in imported
    assert not imported & {"grpc", "google.protobuf", "pydantic", "structlog", "sqlite_utils"}


def test_help_imports_no_server_library() -> None:
    """What is slow to import is imported by the command that needs it."""
    before = set(sys.modules)
    parser(["--help"])
    assert not (set(sys.modules) - before) & {"grpc", "pydantic", "structlog"}


def test_output_is_utf8_in_any_locale() -> None:
    """A locale without UTF-8 neither breaks the output nor the input."""
    done = mailvet("parse", "--json", stdin='{"input": "ü@b.org"}\n'.encode(), env=PLAIN_LOCALE)
    assert (0, True) == (done.returncode, '"local_part": "ü"' in done.stdout)


def test_grpc_stays_out_of_processes_that_are_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loop forks; gRPC's own part in a fork aborted one export in a dozen."""
    monkeypatch.delenv("GRPC_ENABLE_FORK_SUPPORT", raising=False)
    assert 0 == run(capsys, "--version")[0]
    assert "false" == os.environ["GRPC_ENABLE_FORK_SUPPORT"]
