"""`mailvet verify`, as a process in front of a mail internet."""

import csv
import io
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from mailvet.v1 import result_pb2
from tests.cli.run import COMMAND, PLAIN_LOCALE, environment, json_lines, mailvet, write
from tests.cli.test_main import run

FIELDS = [field.name for field in result_pb2.Result.DESCRIPTOR.fields if field.name != "evidence"]
MIXED = (
    "user1@cli.test",
    "nobody@cli.test",
    "USER1@CLI.test",
    "a..b@cli.test",
    "x@missing.test",
    "full@cli.test",
)
STATUSES = (
    "SUCCESS",
    "MAILBOX_DOES_NOT_EXIST",
    "DUPLICATE",
    "DOUBLE_DOT_SEQUENCE",
    "DOMAIN_DOES_NOT_EXIST",
    "MAILBOX_HAS_INSUFFICIENT_STORAGE",
)


def test_addresses_are_answered_one_a_line(network: list[str]) -> None:
    """A table on standard output, a summary on standard error."""
    done = mailvet("verify", *network, "user1@cli.test", "nobody@cli.test")
    first, second = done.stdout.splitlines()
    assert (0, ["DELIVERABLE", "SUCCESS", "user1@cli.test"]) == (
        done.returncode,
        first.split()[:3],
    )
    assert ["UNDELIVERABLE", "MAILBOX_DOES_NOT_EXIST", "nobody@cli.test"] == second.split()[:3]
    assert "mx.cli.test" in second
    assert "2 answers in" in done.stderr


def test_json_has_an_object_for_each_line_of_input(network: list[str], tmp_path: Path) -> None:
    """Input order, every field of Result, values without prefix; duplicates answered as such."""
    name = write(tmp_path / "list.txt", "\r\n".join(MIXED).encode())
    done = mailvet("verify", *network, "--json", "--dedupe", "relaxed", "--quiet", name)
    found = json_lines(done.stdout)
    assert (0, "") == (done.returncode, done.stderr)
    assert [FIELDS] * len(MIXED) == [list(one) for one in found]
    assert list(enumerate(MIXED)) == [(one["index"], one["input_data"]) for one in found]
    assert STATUSES == tuple(one["status"] for one in found)
    assert 0 == found[2]["duplicate_of"]
    assert ("DELIVERABLE", "YES", None, "STANDARD") == (
        found[0]["classification"],
        found[0]["is_deliverable"],
        found[0]["duplicate_of"],
        found[0]["quality"],
    )
    assert ("UNDELIVERABLE", 2) == (found[3]["classification"], found[3]["syntax_failure_index"])


def test_csv_has_a_header_and_no_formulas(network: list[str]) -> None:
    """What a spreadsheet would take for a formula is text; the commas of a name stay in it."""
    done = mailvet("verify", *network, "--csv", "--", "user1@cli.test", '"=1+1, x"@cli.test', "=@")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert ["user1@cli.test", '"=1+1, x"@cli.test', "'=@"] == [row["input_data"] for row in rows]
    assert ("SUCCESS", "false") == (rows[0]["status"], rows[0]["is_disposable"])


def test_evidence_comes_when_asked(network: list[str]) -> None:
    """With --evidence a JSON line has DNS records and what the exchanger said."""
    done = mailvet("verify", *network, "--json", "--evidence", "nobody@cli.test")
    (found,) = json_lines(done.stdout)
    assert ("mx.cli.test", 550) == (
        found["evidence"]["mailbox"]["host"],
        found["evidence"]["mailbox"]["code"],
    )
    refused = mailvet("verify", *network, "--evidence", "nobody@cli.test")
    assert (1, True) == (refused.returncode, "--evidence needs --json" in refused.stderr)


def test_high_quality_waits_for_greylisted_mailboxes(network: list[str]) -> None:
    """A greylisted mailbox is UNKNOWN at STANDARD and has its answer at HIGH."""
    arguments = ("verify", *network, "--json")
    fast = {"MAILVET_RETRY_SCALE": "0.01"}
    (standard,) = json_lines(mailvet(*arguments, "user1@grey.test", env=fast).stdout)
    (high,) = json_lines(
        mailvet(*arguments, "--quality", "high", "user2@grey.test", env=fast).stdout
    )
    assert ("MAILBOX_TEMPORARILY_UNAVAILABLE", "STANDARD") == (
        standard["status"],
        standard["quality"],
    )
    assert ("UNKNOWN", 1) == (standard["classification"], standard["attempts"])
    assert ("HIGH", "YES") == (high["quality"], high["is_deliverable"])
    assert high["attempts"] > 1


def test_files_of_every_origin_are_read(network: list[str], tmp_path: Path) -> None:
    """Encoding and line ends are found out, empty lines passed over."""
    contents = {
        "UTF-8 with BOM": b"\xef\xbb\xbfj\xc3\xbcrgen@cli.test\r\n",
        "cp1252": b"j\xfcrgen@cli.test\n",
        "old Mac": b"j\xfcrgen@cli.test\r\r",
        "UTF-16": "jürgen@cli.test\n\n \n".encode("utf-16"),
        "no end of line": "jürgen@cli.test".encode(),
    }
    names = [write(tmp_path / name, content) for name, content in contents.items()]
    done = mailvet("verify", *network, "--json", "--dedupe", "off", *names)
    read = [one["input_data"] for one in json_lines(done.stdout)]
    assert dict.fromkeys(contents, "jürgen@cli.test") == dict(zip(contents, read, strict=True))


def test_domains_are_verified_where_they_may_be(network: list[str]) -> None:
    """With --bare-domains a domain is answered as one; without, the way out is told."""
    done = mailvet("verify", *network, "--json", "--bare-domains", "cli.test", "user1@cli.test")
    refused = mailvet("verify", *network, "cli.test")
    found = json_lines(done.stdout)
    assert [("cli.test", "SUCCESS", ""), ("user1@cli.test", "SUCCESS", "user1@cli.test")] == [
        (one["input_data"], one["status"], one["email_address"]) for one in found
    ]
    assert (1, True) == (refused.returncode, "say --bare-domains" in refused.stderr)


def test_standard_input_is_read(network: list[str]) -> None:
    """`-` is standard input, whatever the locale; odd separators stay inside their line."""
    lines = "\ufeffuser1@cli.test\nü\u2028x@cli.test\n".encode()
    done = mailvet("verify", *network, "--json", "-", stdin=lines, env=PLAIN_LOCALE)
    assert ["user1@cli.test", "ü\u2028x@cli.test"] == [
        one["input_data"] for one in json_lines(done.stdout)
    ]


def test_an_address_longer_than_a_file_name_is_answered(network: list[str]) -> None:
    """Asking whether it is a file does not fail."""
    done = mailvet("verify", *network, "--json", "x" * 5000 + "@cli.test")
    assert "UNDELIVERABLE" == json_lines(done.stdout)[0]["classification"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("empty.txt",), "there is nothing to verify: the input is empty"),
        (("absent.txt",), "'absent.txt' is neither a file that exists nor an address"),
        ((".",), "'.' is neither a file that exists nor an address"),
        (("--smtp-port", "x", "a@b.test"), "smtp_port = 'x'"),
        (("--resolver", "nonsense:x", "a@b.test"), "resolver: "),
        (("--config", "absent.toml", "a@b.test"), "absent.toml"),
        (("--key", "mv_x", "a@b.test"), "--key goes with --target"),
        (
            ("--target", "127.0.0.1:1", "--helo", "x.test", "a@b.test"),
            "--helo is a matter of the server at --target",
        ),
        (("--target", "127.0.0.1:1", "a@b.test"), "no mailvet server answers at 127.0.0.1:1"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    """One sentence that names the mistake, exit code 1, nothing on standard output."""
    write(tmp_path / "empty.txt", b"\n \n")
    started = time.monotonic()
    named = [str(tmp_path / one) if one == "empty.txt" else one for one in arguments]
    code, out, err = run(capsys, "verify", *named)
    assert (1, "", 1) == (code, out, len(err.splitlines()))
    assert told in err
    assert time.monotonic() - started < 5


def test_an_unknown_variable_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt setting in the environment is named, with the one that was meant."""
    monkeypatch.setenv("MAILVET_RESOLVR", "127.0.0.1")
    code, _, err = run(capsys, "verify", "a@b.test")
    assert (1, True) == (code, "did you mean MAILVET_RESOLVER?" in err)


def test_a_closed_network_is_our_own_fault(network: list[str]) -> None:
    """No exchanger is reached: UNKNOWN with a hint; what needs no dialogue is answered."""
    at = network.index("--smtp-port")
    closed = [*network[:at], "--smtp-port", "1", *network[at + 2 :]]
    domains = ["user1@cli.test", "user1@grey.test", "user1@silent.test"]
    others = ["user1@mailinator.com", "a@@b", "x@missing.test"]
    done = mailvet("verify", *closed, "--json", *domains, *others)
    found = {one["input_data"]: one for one in json_lines(done.stdout)}
    assert 1 == done.returncode
    assert {("LOCAL_EGRESS_UNAVAILABLE", "UNKNOWN")} == {
        (found[name]["status"], found[name]["classification"]) for name in domains
    }
    assert "DOMAIN_DOES_NOT_EXIST" == found["x@missing.test"]["status"]
    assert "INVALID_CHARACTER_IN_SEQUENCE" == found["a@@b"]["status"]
    assert (True, "DOMAIN_IS_WELL_KNOWN_DEA") == (
        found["user1@mailinator.com"]["is_disposable"],
        found["user1@mailinator.com"]["status"],
    )
    assert "outbound port 1 seems closed here" in done.stderr
    assert "--target" in done.stderr


def test_ctrl_c_ends_it_at_once(network: list[str], tmp_path: Path) -> None:
    """In the middle of a slow batch: what is known is printed, exit code 130, no traceback."""
    lines = ["user1@cli.test"] + [f"user{n}@silent.test" for n in range(5)]
    name = write(tmp_path / "slow.txt", "\n".join(lines).encode())
    process = subprocess.Popen(
        [*COMMAND, "verify", *network, "--json", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"PYTHONUNBUFFERED": "1"}),
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (130, b"", True) == (process.returncode, out, b'"SUCCESS"' in first)
    assert "interrupted: 1 of 6 are answered\n" == err.decode()
    assert time.monotonic() - started < 5


def test_a_closed_pipe_ends_it_silently(network: list[str], tmp_path: Path) -> None:
    """`| head` takes its lines and nothing is said, whoever writes."""
    lines = "\n".join(f"user{n % 20}@d{n % 20}.cli.test" for n in range(4000))
    name = write(tmp_path / "long.txt", lines.encode())
    process = subprocess.Popen(
        [*COMMAND, "verify", *network, "--quiet", "--dedupe", "off", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert b"DELIVERABLE" in process.stdout.readline()
    process.stdout.close()
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    err = process.stderr.read()
    watchdog.cancel()
    process.stderr.close()
    assert (1, b"") == (process.wait(), err)
