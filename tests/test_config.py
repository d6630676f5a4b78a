"""Settings and their mistakes."""

from pathlib import Path

import pytest

from mailvet.config import load
from mailvet.errors import ConfigError


def test_flags_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source overrides the one below it, setting by setting."""
    file = tmp_path / "mailvet.toml"
    file.write_text('smtp_port = 1\nhelo = "file.test"\nmail_from = "file@file.test"\n')
    monkeypatch.setenv("MAILVET_SMTP_PORT", "2")
    monkeypatch.setenv("MAILVET_HELO", "environment.test")
    settings = load({"smtp_port": 3, "resolver": None}, str(file))
    assert (3, "environment.test", "file@file.test") == (
        settings.smtp_port,
        settings.helo,
        settings.mail_from,
    )


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"smtp_port": "70000"}, "smtp_port = '70000': Input should be less than or equal"),
        ({"allow_network": ["127.0.0.0/33"]}, "127.0.0.0/33"),
        ({"smtp_prt": 1}, "smtp_prt is no setting; did you mean smtp_port?"),
        ({"log_level": "loud"}, "use debug, info, warning or error"),
    ],
)
def test_a_wrong_setting_is_named_with_the_way_out(flags: dict[str, object], told: str) -> None:
    """The error says which setting, what was given, and what would do."""
    with pytest.raises(ConfigError) as caught:
        load(flags)
    assert told in str(caught.value)


def test_an_unknown_environment_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt variable is an error with a suggestion, not a silent default."""
    monkeypatch.setenv("MAILVET_RESOLVR", "127.0.0.1")
    with pytest.raises(ConfigError, match="did you mean MAILVET_RESOLVER"):
        load()


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    """The file's path is in the error."""
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load(config_file=str(tmp_path / "absent.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("=")
    with pytest.raises(ConfigError, match=r"broken\.toml is not valid TOML"):
        load(config_file=str(broken))


def test_networks_may_be_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable holds several networks."""
    monkeypatch.setenv("MAILVET_ALLOW_NETWORK", "127.0.0.0/8,::1/128")
    assert ("127.0.0.0/8", "::1/128") == load().allow_network


def test_identities_are_tables_of_the_file(tmp_path: Path) -> None:
    """Several identities come from the file; each is a unit, and a misspelt part is named."""
    file = tmp_path / "mailvet.toml"
    file.write_text(
        '[[identity]]\nhelo = "a.test"\nsource_address = "192.0.2.1"\n'
        '[[identity]]\nhelo = "b.test"\nmail_from = "b@b.test"\n'
    )
    found = load(config_file=str(file)).identity
    assert [("a.test", "192.0.2.1"), ("b.test", None)] == [
        (one.helo, one.source_address) for one in found
    ]
    file.write_text('[[identity]]\nhello = "a.test"\n')
    with pytest.raises(ConfigError, match=r"identity\.0"):
        load(config_file=str(file))
