"""The keys that sign tokens, and how they change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from mailvet.accounts.token_keys import PERIOD_S, DerivedKeys, FileKeys
from mailvet.accounts.tokens import Tokens
from mailvet.errors import ConfigError
from mailvet.model.access import ALL_SCOPES
from tests.accounts.world import Clock

GOOD: dict[str, Callable[[], object]] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


def written(path: Path, key: object, password: bytes = b"") -> Path:
    """A PEM file of a key."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))  # type: ignore[attr-defined]
    return path


def test_a_new_key_signs_every_month_and_the_last_one_is_believed() -> None:
    """So no token ends before its time; the one before the last opens nothing."""
    clock = Clock()
    keys = DerivedKeys(b"s" * 32, clock)
    names = []
    for _ in range(3):
        names.append(keys.signing().kid)
        clock.now += PERIOD_S
    clock.now -= PERIOD_S

    assert 3 == len(set(names))
    assert [False, True, True] == [keys.find(name) is not None for name in names]


@pytest.mark.parametrize("algorithm", GOOD)
def test_a_key_from_a_file_signs(algorithm: str, tmp_path: Path) -> None:
    """With the one algorithm of its kind."""
    keys = FileKeys([written(tmp_path / "key.pem", GOOD[algorithm]())])
    ours = Tokens(keys, Clock())

    assert algorithm == keys.signing().algorithm
    assert ("key", ALL_SCOPES) == ours.read(ours.issue("key", ALL_SCOPES, 900)[0])


def test_keys_are_changed_by_putting_a_new_one_in_front(tmp_path: Path) -> None:
    """Tokens of the old one are believed as long as it is there."""
    old = written(tmp_path / "old.pem", GOOD["EdDSA"]())
    new = written(tmp_path / "new.pem", GOOD["ES256"]())
    token, _ = Tokens(FileKeys([old]), Clock()).issue("key", ALL_SCOPES, 900)

    both = Tokens(FileKeys([new, old]), Clock())
    assert both.read(token)
    later, _ = both.issue("key", ALL_SCOPES, 900)
    assert Tokens(FileKeys([new]), Clock()).read(later)
    assert Tokens(FileKeys([new]), Clock()).read(token) is None


def test_what_cannot_sign_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """A short key, another curve, a password, no key at all, no file."""
    short = written(tmp_path / "short.pem", rsa.generate_private_key(65537, 1024))
    curve = written(tmp_path / "curve.pem", ec.generate_private_key(ec.SECP384R1()))
    locked = written(tmp_path / "locked.pem", GOOD["EdDSA"](), b"password")
    (tmp_path / "text.pem").write_text("secret")
    for path, told in (
        (short, "RSA of at least 2048 bits"),
        (curve, "use Ed25519, P-256"),
        (locked, "no unencrypted private key in PEM; make one with `openssl"),
        (tmp_path / "text.pem", "no unencrypted private key"),
        (tmp_path / "absent.pem", "cannot read"),
    ):
        with pytest.raises(ConfigError, match=told):
            FileKeys([path])
