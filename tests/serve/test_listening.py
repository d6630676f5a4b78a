"""Where the server may listen, and what it asks of callers there."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.model.access import Scope
from mailvet.serve.listening import is_loopback, server_options


def _options(**flags: Any) -> Any:
    return server_options(load(flags))


@pytest.fixture(name="tls")
def _tls(tmp_path: Path) -> dict[str, str]:
    certificate = trustme.CA().issue_cert("mailvet.test")
    paths = {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}
    paths["tls_cert"].write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    paths["tls_key"].write_bytes(certificate.private_key_pem.bytes())
    paths["tls_key"].chmod(0o600)
    return {name: str(path) for name, path in paths.items()}


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("localhost:1", True),
        ("[::1]:1", True),
        ("unix:/run/mailvet.sock", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
        ("mail.example.com:1", False),
    ],
)
def test_only_this_machine_is_loopback(listen: str, loopback: bool) -> None:
    """A name or address that others can reach is not loopback."""
    assert loopback == is_loopback(listen)


def test_loopback_needs_neither_keys_nor_tls() -> None:
    """On loopback everybody is the default tenant."""
    options = _options(listen="127.0.0.1:0")
    assert options.credentials is None
    assert not options.require_keys


def test_an_open_listener_without_tls_is_refused_with_the_way_out() -> None:
    """Other machines get in through TLS, or because somebody said so on purpose."""
    with pytest.raises(ConfigError, match=r"tls_cert and tls_key.*--insecure"):
        _options(listen="0.0.0.0:50051")


def test_an_open_listener_with_tls_asks_for_keys(tls: dict[str, str]) -> None:
    """TLS alone lets nobody in."""
    options = _options(listen="0.0.0.0:50051", **tls)
    assert options.credentials is not None
    assert options.require_keys


def test_keys_cannot_be_switched_off_by_accident(tls: dict[str, str]) -> None:
    """An open listener without keys needs the same word as one without TLS."""
    with pytest.raises(ConfigError, match="would let everybody in"):
        _options(listen="0.0.0.0:50051", require_keys=False, **tls)
    assert not _options(listen="0.0.0.0:50051", require_keys=False, insecure=True).require_keys


def test_keys_can_be_asked_for_on_loopback() -> None:
    """Several tenants may share a machine."""
    assert _options(listen="127.0.0.1:0", require_keys=True).require_keys


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"listen": "50051"}, "write HOST:PORT"),
        ({"listen": "127.0.0.1:x"}, "write HOST:PORT"),
        ({"listen": "127.0.0.1:70000"}, "write HOST:PORT"),
        ({"tls_cert": "cert.pem"}, "go together"),
        ({"tls_cert": "absent.pem", "tls_key": "absent.pem"}, "cannot read absent.pem"),
        ({"tls_client_ca": "ca.pem"}, "needs TLS: set tls_cert and tls_key"),
        ({"client_certificate": [{"name": "a", "tenant": "b"}]}, "needs tls_client_ca"),
        ({"token_keys": "absent.pem"}, "token_keys: cannot read absent.pem"),
    ],
)
def test_a_wrong_combination_is_named(flags: dict[str, str], told: str) -> None:
    """The error says what is wrong and what would do."""
    with pytest.raises(ConfigError, match=told):
        _options(**flags)


def test_a_key_that_everybody_can_read_is_refused(tls: dict[str, str], tmp_path: Path) -> None:
    """The server's own one, and those that sign tokens."""
    Path(tls["tls_key"]).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        _options(listen="127.0.0.1:0", **tls)
    Path(tls["tls_key"]).chmod(0o600)
    assert _options(listen="127.0.0.1:0", **tls).credentials
    token_key = tmp_path / "token.pem"
    token_key.write_bytes(Path(tls["tls_key"]).read_bytes())
    token_key.chmod(0o644)
    with pytest.raises(ConfigError, match=r"token_keys: .*chmod 600"):
        _options(listen="127.0.0.1:0", token_keys=str(token_key))


def test_names_of_certificates_are_callers() -> None:
    """All scopes when none is named; a wrong one is told."""
    row = {"name": "shop.example.org", "tenant": "shop"}
    certificates = [row, row | {"name": "b", "scopes": ["VERIFY"]}]
    settings = load({"client_certificate": certificates})
    assert [(), (Scope.VERIFY,)] == [one.scopes for one in settings.client_certificate]
    with pytest.raises(ConfigError, match=r"client_certificate\.0\.scopes"):
        load({"client_certificate": [row | {"scopes": ["EVERYTHING"]}]})
