"""The keys that sign tokens: which one signs now, which ones are still believed.

Without files they are made of the store's secret, a new one every 30 days; so all servers of a
store agree, and nobody has to keep or rotate anything. With files the first signs and all are
believed: put a new file in front, and take the old one away when its last token has ended.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b, sha256
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from mailvet.errors import ConfigError

PERIOD_S = 30 * 86_400
MIN_RSA_BITS = 2048
"""RFC 7518 3.3."""

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


class SigningKey(NamedTuple):
    """A key with its name in tokens (`kid`) and the one algorithm that it is used with."""

    kid: str
    algorithm: str
    private: PrivateKey


class TokenKeys(Protocol):
    """Where tokens get their keys from."""

    def signing(self) -> SigningKey:
        """Return the key that signs now."""
        ...

    def find(self, kid: str) -> SigningKey | None:
        """Return a key that is believed now; None for any other name."""
        ...


class DerivedKeys:
    """Keys made of a store's secret, one for each 30 days; `wall_clock` is time since the epoch."""

    def __init__(self, secret: bytes, wall_clock: Callable[[], float]) -> None:
        self._secret = secret
        self._wall_clock = wall_clock
        self._made: dict[int, SigningKey] = {}

    def signing(self) -> SigningKey:
        """See `TokenKeys.signing`."""
        return self._key(self._period())

    def find(self, kid: str) -> SigningKey | None:
        """See `TokenKeys.find`: this period's, its neighbours' for tokens and clocks at an end."""
        period = self._period()
        near = (self._key(one) for one in (period, period - 1, period + 1))
        return next((key for key in near if key.kid == kid), None)

    def _period(self) -> int:
        return int(self._wall_clock() // PERIOD_S)

    def _key(self, period: int) -> SigningKey:
        if period not in self._made:
            named = str(period).encode("ascii")
            seed = blake2b(named, key=self._secret, digest_size=32, person=b"token key")
            private = Ed25519PrivateKey.from_private_bytes(seed.digest())
            self._made = {near: key for near, key in self._made.items() if near >= period - 1}
            self._made[period] = SigningKey(f"s{period}", "EdDSA", private)
        return self._made[period]


class FileKeys:
    """Keys from PEM files; the first one signs."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read the files; raises `ConfigError` for one that cannot be used, with the way out."""
        self._keys = {key.kid: key for key in map(_read, paths)}
        self._signing = next(iter(self._keys.values()))

    def signing(self) -> SigningKey:
        """See `TokenKeys.signing`."""
        return self._signing

    def find(self, kid: str) -> SigningKey | None:
        """See `TokenKeys.find`."""
        return self._keys.get(kid)


def _read(path: Path) -> SigningKey:
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"token_keys: cannot read {path}: {error.strerror}") from None
    except (TypeError, ValueError):
        raise ConfigError(
            f"token_keys: {path} is no unencrypted private key in PEM; make one with "
            f"`openssl genpkey -algorithm ed25519 -out {path}`"
        ) from None
    algorithm = _algorithm(private)
    if not isinstance(private, PrivateKey) or algorithm is None:
        raise ConfigError(
            f"token_keys: {path} is of a kind or length that we do not use; use Ed25519, P-256, or "
            f"RSA of at least {MIN_RSA_BITS} bits"
        )
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(sha256(public).hexdigest()[:16], algorithm, private)


def _algorithm(private: object) -> str | None:
    """The one algorithm that a key is used with (RFC 8725 3.1): no token chooses."""
    if isinstance(private, Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        return "ES256"
    if isinstance(private, RSAPrivateKey) and private.key_size >= MIN_RSA_BITS:
        return "RS256"
    return None
