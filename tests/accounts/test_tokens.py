"""Tokens: what is issued is read; everything that is only like one is refused (RFC 8725)."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mailvet.accounts.token_keys import DerivedKeys
from mailvet.accounts.tokens import LEEWAY_S, Tokens
from mailvet.errors import Unauthenticated
from mailvet.model.access import ALL_SCOPES, Caller, Credential, Scope
from tests.accounts.world import Clock, Keys, authenticator, made

SECRET = b"s" * 32


def tokens(clock: Clock | None = None) -> Tokens:
    """What one server issues and reads."""
    clock = clock or Clock()
    return Tokens(DerivedKeys(SECRET, clock), clock)


def test_what_is_issued_is_read() -> None:
    """The key and the scopes; no two tokens are the same."""
    ours = tokens()
    some = frozenset({Scope.VERIFY, Scope.RESULTS_READ})
    first, expire_time = ours.issue("key", some, 900)
    second, _ = ours.issue("key", ALL_SCOPES, 900)

    assert 1000.0 == expire_time
    assert ("key", some) == ours.read(first)
    assert ("key", ALL_SCOPES) == ours.read(second)
    assert ours.issue("key", some, 900)[0] != first
    assert ("key", frozenset()) == ours.read(ours.issue("key", frozenset(), 900)[0])


def test_servers_of_a_store_believe_each_other() -> None:
    """Others do not."""
    token, _ = tokens().issue("key", ALL_SCOPES, 900)
    assert tokens().read(token)
    assert Tokens(DerivedKeys(b"other" * 7, Clock()), Clock()).read(token) is None


def test_a_token_has_its_time() -> None:
    """A little early for a clock that is behind, a little late; also one that was read before."""
    clock = Clock()
    ours = tokens(clock)
    token, _ = ours.issue("key", ALL_SCOPES, 60)
    for now, valid in (
        (100 - LEEWAY_S - 1, False),
        (100 - LEEWAY_S, True),
        (159.0, True),
        (160 + LEEWAY_S - 1, True),
        (160 + LEEWAY_S, False),
    ):
        clock.now = now
        assert valid == (ours.read(token) is not None), now
        assert valid == (tokens(clock).read(token) is not None), now


GOOD_CLAIMS = {
    "iss": "mailvet",
    "aud": "mailvet",
    "sub": "key",
    "iat": 100,
    "exp": 1000,
    "jti": "1",
    "scope": "VERIFY",
}


def signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of ours with something else in its claims or header; None leaves a thing out."""
    key = DerivedKeys(SECRET, Clock()).signing()
    chosen = {name: one for name, one in (GOOD_CLAIMS | claims).items() if one is not None}
    whole = {"typ": "mailvet+jwt", "kid": key.kid} | (header or {})
    return jwt.encode(chosen, key.private, key.algorithm, whole)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_token_made_here_is_good() -> None:
    """So what is refused below is refused for its one difference."""
    assert ("key", frozenset({Scope.VERIFY})) == tokens().read(signed())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": ["mailvet", "other"]},
        {"aud": None},
        {"iss": "other"},
        {"iss": None},
        {"exp": None},
        {"exp": "1000"},
        {"exp": 10_000_000},
        {"exp": 99, "iat": 98 - 3600},
        {"exp": 50},
        {"iat": None},
        {"iat": 5000, "exp": 5900},
        {"jti": None},
        {"sub": None},
        {"scope": None},
        {"scope": "EVERYTHING"},
        {"scope": ["VERIFY"]},
        {"tenant": "other"},
        {"nbf": 5000},
    ],
    ids=str,
)
def test_other_claims_are_refused(claims: dict[str, Any]) -> None:
    """Each claim has to be there and right, and there is nothing beside them."""
    assert tokens().read(signed(**claims)) is None


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"kid": "../../../../dev/null"},
        {"kid": ""},
        {"kid": "s0' OR 1=1 --"},
        {"jku": "https://example.org/keys"},
        {"x5u": "https://example.org/cert"},
        {"jwk": {"kty": "OKP"}},
        {"crit": ["x"], "x": 1},
    ],
    ids=str,
)
def test_other_headers_are_refused(header: dict[str, Any]) -> None:
    """Whatever would lead us to another key, and every other type."""
    assert tokens().read(signed(header)) is None


def test_no_signature_is_no_token() -> None:
    """`none` in any spelling, with our key's name on it."""
    kid = DerivedKeys(SECRET, Clock()).signing().kid
    for algorithm in ("none", "None", "NONE", "nOnE", ""):
        header = {"alg": algorithm, "typ": "mailvet+jwt", "kid": kid}
        assert tokens().read(unsigned(header, GOOD_CLAIMS)) is None
        assert tokens().read(unsigned(header, GOOD_CLAIMS, b"x" * 64)) is None


def test_our_public_key_is_no_password() -> None:
    """An HMAC keyed with what everybody may know of us is refused, in every form of it."""
    key = DerivedKeys(SECRET, Clock()).signing()
    public = key.private.public_key()
    forms = (
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    header = {"alg": "HS256", "typ": "mailvet+jwt", "kid": key.kid}
    signed_part = unsigned(header, GOOD_CLAIMS).rpartition(".")[0].encode("ascii")
    for form in (*forms, base64.b64encode(forms[1]), pem(forms[1])):
        signature = hmac.digest(form, signed_part, "sha256")
        assert tokens().read(unsigned(header, GOOD_CLAIMS, signature)) is None


def pem(raw: bytes) -> bytes:
    """A public key as it is handed round."""
    lines = (b"-----BEGIN PUBLIC KEY-----", base64.b64encode(raw), b"-----END PUBLIC KEY-----", b"")
    return b"\n".join(lines)


def test_another_key_with_our_name_is_refused() -> None:
    """The name of a key in a token says which one to check with, no more."""
    header = {"typ": "mailvet+jwt", "kid": DerivedKeys(SECRET, Clock()).signing().kid}
    token = jwt.encode(GOOD_CLAIMS, Ed25519PrivateKey.generate(), "EdDSA", header)
    assert tokens().read(token) is None


@given(st.integers(0, 400), st.characters(codec="ascii"))
def test_a_changed_character_is_noticed(place: int, char: str) -> None:
    """Anywhere in a token."""
    token = signed()
    place %= len(token)
    changed = token[:place] + char + token[place + 1 :]
    # The last character of a part has bits to spare: other spellings of the same bytes.
    parts = [len(part) for part in token.split(".")]
    spare = {parts[0] - 1, parts[0] + parts[1], len(token) - 1}
    assert changed == token or place in spare or tokens().read(changed) is None


@given(st.text(), st.text(), st.text())
def test_any_text_is_no_token(first: str, second: str, third: str) -> None:
    """And nothing breaks."""
    assert tokens().read(f"{first}.{second}.{third}") is None


async def test_a_token_is_its_keys_and_ends_with_it() -> None:
    """Tenant and scopes come from the key as it is now; a revoked key's tokens open nothing."""
    _, kept = made(scopes=frozenset({Scope.VERIFY, Scope.ADMIN}))
    store, clock = Keys(kept), Clock()
    ours = tokens(clock)
    checker = authenticator(store, clock, tokens=ours)
    token, _ = ours.issue(kept.key_id, frozenset({Scope.VERIFY, Scope.ACCOUNT_READ}), 900)
    sent = {"authorization": f"Bearer {token}"}

    expected = Caller("acme", kept.key_id, frozenset({Scope.VERIFY}), Credential.TOKEN)
    assert expected == await checker.identify(sent)
    assert expected == await checker.identify({"x-api-key": token})
    store.keys[kept.key_id] = kept._replace(totp_secret="A" * 32, totp_since=1.0)
    checker.keys.forget()
    assert expected == await checker.identify(sent)
    for gone in (kept._replace(revoke_time=99.0), kept._replace(expire_time=99.0)):
        store.keys[kept.key_id] = gone
        checker.keys.forget()
        with pytest.raises(Unauthenticated):
            await checker.identify(sent)
    store.keys.clear()
    checker.keys.forget()
    with pytest.raises(Unauthenticated):
        await checker.identify(sent)
