"""`mailvet reply`."""

import json

import pytest

from tests.cli.run import json_lines, mailvet
from tests.cli.test_main import run


def test_a_reply_is_read_as_it_stands_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    """`550 5.1.1 ...` and `550-5.1.1 ...` are both replies."""
    replies = ("550 5.1.1 No such user here", "550-5.1.1 No such user here")
    code, out, _ = run(capsys, "reply", "--json", *replies)
    assert (0, ["MAILBOX_DOES_NOT_EXIST"] * 2) == (
        code,
        [one["meaning"] for one in json_lines(out)],
    )


def test_the_rule_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees the meaning and the rule that says so."""
    _, out, _ = run(capsys, "reply", "552 5.2.2 Mailbox full")
    assert ["meaning  MAILBOX_FULL", "rule"] == [
        out.splitlines()[0],
        out.splitlines()[1].split()[0],
    ]


@pytest.mark.parametrize("text", ["nonsense", "", "55", "5501 no", "999 no", "٥٥٠ no"])
def test_what_is_no_reply_is_told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Without a code there is no reply; the others are still answered."""
    code, out, _ = run(capsys, "reply", "--json", text, "550 5.1.1 no such user")
    wrong, right = json_lines(out)
    assert (1, True) == (code, "it starts with a code" in wrong["error"])
    assert "MAILBOX_DOES_NOT_EXIST" == right["meaning"]


def test_every_line_has_its_answer() -> None:
    """JSON lines with code, enhanced, text and stage; a wrong field is an error in its place."""
    asked = [
        {"code": 550, "enhanced": "5.1.1", "text": "no such user"},
        {"code": "550", "enhanced": None, "text": "no such user"},
        {"code": 450, "text": "greylisted, try again", "stage": "RCPT"},
        {"code": "x"},
        {"code": True},
        {"text": "no code"},
        {"code": 550, "text": 7},
        {"code": 550, "enhanced": 5},
        {"code": 550, "stage": "DATA"},
    ]
    text = "\n".join(json.dumps(one) for one in asked)
    done = mailvet("reply", "--json", stdin=text.encode())
    found = json_lines(done.stdout)
    assert (1, [3, 4, 5, 6, 7, 8]) == (
        done.returncode,
        [n for n, one in enumerate(found) if "error" in one],
    )
    assert ["MAILBOX_DOES_NOT_EXIST"] * 2 == [one["meaning"] for one in found[:2]]
