"""The grammar of commands."""

import pytest

from mailvet.testbed.commands import Command, Path, not_offered, read_command, read_mail, read_rcpt


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"ehlo me.test\r\n", Command("EHLO", "me.test")),
        (b"QUIT\r\n", Command("QUIT", "")),
        (b"QUIT\n", Command("QUIT", "", "bare LF")),
        (b"QU\0IT\r\n", Command("QU\0IT", "", "NUL")),
        (b"NOOP a\rb\r\n", Command("NOOP", "a\rb", "bare CR")),
        (b"NOOP \xff\r\n", Command("NOOP", "\ufffd", "not UTF-8")),
        (b"NOOP " + b"x" * 3000 + b"\r\n", Command("NOOP", "x" * 3000, "line too long")),
    ],
)
def test_a_line_is_read_with_its_fault(line: bytes, command: Command) -> None:
    """A line a client may not send is named as what it is."""
    assert command == read_command(line)


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("FROM:<a@b.test>", Path("a", "b.test", frozenset())),
        ("from:<>", Path("", "", frozenset())),
        (
            "FROM:<a@b.test> SIZE=10 SMTPUTF8",
            Path("a", "b.test", frozenset({"SIZE", "SMTPUTF8"})),
        ),
        ("FROM: <a@b.test>", None),
        ("FROM:a@b.test", None),
        ("FROM:<a@b.test>SIZE=10", None),
        ("TO:<a@b.test>", None),
    ],
)
def test_mail_is_read_by_the_grammar(argument: str, path: Path | None) -> None:
    """RFC 5321 4.1.1.2: no space after the colon, always angle brackets."""
    assert path == read_mail(argument)


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("TO:<a@B.test>", Path("a", "b.test", frozenset())),
        ('TO:<"a b@c"@b.test>', Path('"a b@c"', "b.test", frozenset())),
        ('TO:<"a\\"b"@b.test>', Path('"a\\"b"', "b.test", frozenset())),
        ("TO:<@relay.test:a@b.test>", Path("a", "b.test", frozenset())),
        ("TO:<jörg@b.test> NOTIFY=NEVER", Path("jörg", "b.test", frozenset({"NOTIFY"}))),
        ("TO: <a@b.test>", None),
        ("TO:<a b@b.test>", None),
        ("TO:<a@b@b.test>", None),
        ("TO:<a>", None),
        ("TO:<>", None),
    ],
)
def test_rcpt_is_read_by_the_grammar(argument: str, path: Path | None) -> None:
    """RFC 5321 4.1.1.3: quotes belong to the local part, a source route is dropped."""
    assert path == read_rcpt(argument)


def test_a_parameter_needs_its_extension() -> None:
    """BODY belongs to 8BITMIME; a name nobody knows is never offered."""
    assert not not_offered(frozenset({"BODY", "SIZE"}), frozenset({"8BITMIME", "SIZE"}))
    assert "BODY" == not_offered(frozenset({"BODY"}), frozenset({"SIZE"}))
    assert "XODD" == not_offered(frozenset({"XODD"}), frozenset({"SIZE"}))
