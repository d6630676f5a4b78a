"""`mailvet config`."""

from pathlib import Path

import pytest

from mailvet.cli.config import without_secrets
from mailvet.config import Settings
from tests.cli.run import json_lines, mailvet


def test_every_setting_is_shown_with_its_origin(tmp_path: Path) -> None:
    """File, environment and flags, the later one winning; the rest are defaults."""
    file = tmp_path / "mailvet.toml"
    file.write_text('helo = "file.test"\nsmtp_port = 26\nresolving = 7\n', "utf-8")
    environment = {"MAILVET_SMTP_PORT": "27", "MAILVET_RESOLVING": "8"}
    done = mailvet("config", "--json", "--config", str(file), "--resolving", "9", env=environment)
    found = {line["setting"]: line for line in json_lines(done.stdout)}
    assert (0, list(Settings.model_fields)) == (done.returncode, list(found))
    assert ("file.test", str(file)) == (found["helo"]["value"], found["helo"]["origin"])
    assert (27, "environment") == (found["smtp_port"]["value"], found["smtp_port"]["origin"])
    assert (9, "flag") == (found["resolving"]["value"], found["resolving"]["origin"])
    assert (True, "default") == (found["ipv6"]["value"], found["ipv6"]["origin"])
    assert all(line["meaning"] for line in found.values())


def test_only_what_was_changed() -> None:
    """`--changed` leaves the defaults out."""
    done = mailvet("config", "--changed", "--helo", "h.test", env={"MAILVET_IPV6": "0"})
    assert [("ipv6", "environment"), ("helo", "flag")] == [
        (line.split()[0], line.split()[-1]) for line in done.stdout.splitlines()
    ]


def test_a_wrong_setting_is_told() -> None:
    """As `serve` would tell it, before anything is served."""
    done = mailvet("config", "--smtp-port", "0")
    assert (1, "") == (done.returncode, done.stdout)
    assert "smtp_port = '0'" in done.stderr


def test_credentials_are_hidden(tmp_path: Path) -> None:
    """What stands before the host of a proxy is nobody else's business."""
    file = tmp_path / "mailvet.toml"
    file.write_text('[[identity]]\nhelo = "h.test"\nproxy = "socks5://me:word@p:1"\n', "utf-8")
    done = mailvet("config", "--config", str(file), "--proxy", "socks5://me:word@proxy:1080")
    assert "word" not in done.stdout
    assert "socks5://***@proxy:1080" in done.stdout
    assert "socks5://***@p:1" in done.stdout


@pytest.mark.parametrize(
    ("shown", "name", "value"),
    [
        ("***", "token_secret", "abc"),
        ("", "token_secret", ""),
        (None, "smtp_password", None),
        ("a@b.test", "mail_from", "a@b.test"),
        ({"password": "***", "user": "x"}, "login", {"password": "p", "user": "x"}),
    ],
)
def test_secrets_by_their_name(shown: object, name: str, value: object) -> None:
    """A setting whose name says so is hidden, unless it is not set."""
    assert shown == without_secrets(name, value)
