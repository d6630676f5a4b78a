"""`mailvet parse` and `mailvet provider`."""

import json
import resource

import pytest

from tests.cli.run import json_lines, mailvet
from tests.cli.test_main import run

FIELDS = [
    "input",
    "status",
    "syntax_failure_index",
    "reason",
    "email_address",
    "local_part",
    "domain",
    "ascii_domain",
    "tag",
    "is_disposable",
    "is_free",
    "is_masked",
    "is_role_account",
    "provider_type",
    "local_part_type",
    "suggestions",
]


def test_parse_tells_the_parts_of_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json an argument is answered by one object with every field."""
    code, out, _ = run(capsys, "parse", "--json", "Ann+news@müller.example", "a..b@x.org")
    good, bad = json_lines(out)
    assert (0, FIELDS, FIELDS) == (code, list(good), list(bad))
    assert ("SUCCESS", "Ann+news", "müller.example", "xn--mller-kva.example", "news") == tuple(
        good[name] for name in ("status", "local_part", "domain", "ascii_domain", "tag")
    )
    assert ("DOUBLE_DOT_SEQUENCE", 2, None) == (
        bad["status"],
        bad["syntax_failure_index"],
        bad["email_address"],
    )


def test_parse_shows_people_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json empty fields are left out, control characters are shown."""
    code, out, _ = run(capsys, "parse", "x\x1b[2J@b.org")
    assert (0, True, False) == (code, r"x\x1b[2J@b.org" in out, "None" in out)


def test_every_line_has_its_answer() -> None:
    """Lines that are no question are answered with an error, in their place; exit code 1."""
    lines = [
        b'{"input": "a@b.org"}',
        b"nonsense",
        b"",
        b"[]",
        b'{"inptu": "a@b.org"}',
        b'{"input": 7}',
        b'{"input": "\\ud800@b.org"}',
        b'{"input": "\xff@b.org"}',
        b"[" * 100_000,
        b'{"input": "x\\u2028y@b.org", "error": "mine"}',
        b'{"input": "last@b.org"}',
    ]
    done = mailvet("parse", "--json", stdin=b"\n".join(lines))
    found = json_lines(done.stdout)
    assert (1, "", len(lines)) == (done.returncode, done.stderr, len(found))
    assert [0, 6, 7, 9, 10] == [n for n, one in enumerate(found) if "error" not in one]
    assert ("a@b.org", "last@b.org") == (found[0]["input"], found[-1]["input"])
    assert {"error": "the line must be one JSON object"} == found[3]
    assert "`input` is missing" in found[4]["error"]


def test_plain_lines_are_addresses() -> None:
    """Without --json a line is an address, also an empty one or one that is no UTF-8."""
    done = mailvet("parse", stdin=b"a@b.org\n\n\xff@b.org\r\n")
    statuses = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("status")]
    assert (0, 3, "SUCCESS") == (done.returncode, len(statuses), statuses[0])


def test_provider_names_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    """Exchangers are told by their names; unknown ones are null."""
    names = ("aspmx.l.google.com,alt1.aspmx.l.google.com", "mx.nobody.test")
    code, out, _ = run(capsys, "provider", "--json", *names)
    known, unknown = json_lines(out)
    assert (0, True, None) == (code, "Google" in known["provider"], unknown["provider"])
    assert ["aspmx.l.google.com", "alt1.aspmx.l.google.com"] == known["mx_hosts"]


def test_provider_answers_every_line() -> None:
    """JSON lines in and out; what is no list of names is an error in its place."""
    asked = [{"mx_hosts": []}, {"mx_hosts": "mx.a.test"}, {"mx_hosts": [1]}, {}]
    text = "\n".join(json.dumps(one) for one in asked)
    done = mailvet("provider", "--json", stdin=text.encode())
    assert (1, [False, True, True, True]) == (
        done.returncode,
        ["error" in one for one in json_lines(done.stdout)],
    )


@pytest.mark.slow
def test_parse_reads_20000_lines_a_second() -> None:
    """Millions of lines are minutes, not hours; domains repeat as they do in real lists.

    Seconds of a processor, the start of Python among them: a busy machine does not count.
    """
    count = 100_000
    lines = "\n".join(
        json.dumps({"input": f"user{n}@firm{n % 500}.example.com"}) for n in range(count)
    ).encode()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = mailvet("parse", "--json", stdin=lines, env={"LC_ALL": "C.UTF-8"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert count == done.stdout.count("\n")
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 1 < took_s < count / 20_000
