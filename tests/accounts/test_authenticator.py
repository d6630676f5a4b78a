"""Who calls: every kind of credential, and everything that is none."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.accounts.authenticator import Authenticator
from mailvet.accounts.key_table import MAX_AGE_S
from mailvet.errors import Unauthenticated
from mailvet.model.access import ALL_SCOPES, ApiKey, Caller, Credential, Scope
from tests.accounts.world import Clock, Keys, authenticator, made


def basic(user: str, password: str) -> str:
    """The value of `authorization` that a browser or curl sends for a user."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def caller_of(kept: ApiKey) -> Caller:
    """Who calls with a key."""
    return Caller(kept.tenant, kept.key_id, kept.scopes, Credential.API_KEY)


async def refused(checker: Authenticator, **metadata: str) -> str:
    """The words that a call with this metadata is refused with."""
    with pytest.raises(Unauthenticated) as caught:
        await checker.identify({name.replace("_", "-"): text for name, text in metadata.items()})
    return str(caught.value)


@pytest.mark.parametrize(
    "metadata",
    [
        {"x-api-key": "KEY"},
        {"authorization": "Bearer KEY"},
        {"authorization": "bearer  KEY "},
        {"authorization": "Bearer KEY", "x-api-key": "mv_other"},
    ],
)
async def test_both_headers_are_understood(metadata: dict[str, str]) -> None:
    """A key may come as x-api-key or as a bearer token."""
    text, kept = made()
    sent = {name: value.replace("KEY", text) for name, value in metadata.items()}

    assert caller_of(kept) == await authenticator(Keys(kept)).identify(sent)


async def test_a_key_may_be_the_password_of_basic() -> None:
    """The user is the key's id, its tenant, or empty; any other one is refused."""
    text, kept = made()
    checker = authenticator(Keys(kept))
    for user in ("", kept.key_id, "acme"):
        sent = {"authorization": basic(user, text)}
        assert caller_of(kept) == await checker.identify(sent)
    for user, password in (("other", text), ("acme", "secret"), ("acme", ""), (text, "")):
        await refused(checker, authorization=basic(user, password))


@pytest.mark.parametrize(
    "value",
    ["Basic", "Basic ?", "Basic bm8tY29sb24=", "Digest x", "Bearer", "Bearer x.y", "Basic /w=="],
)
async def test_what_is_no_credential_is_refused(value: str) -> None:
    """Also where no keys are asked for: who shows something wrong is not welcome as nobody."""
    for required in (True, False):
        await refused(authenticator(Keys(), required=required), authorization=value)


@given(st.text(max_size=60))
async def test_any_authorization_is_refused_in_the_same_words(value: str) -> None:
    """Nothing breaks on any text."""
    text, kept = made()
    told = await refused(authenticator(Keys(kept)), authorization="Basic " + value)
    assert told == await refused(authenticator(Keys(kept)), x_api_key=text[:-1])


async def test_a_wrong_checksum_does_not_reach_the_store() -> None:
    """Guessing costs the guesser, not the store."""
    text, kept = made()
    store = Keys(kept)
    for wrong in ("", text[:-1], text[:-1] + "?", "mv_a_b_c", "secret"):
        await refused(authenticator(store), x_api_key=wrong)

    assert 0 == store.asked


async def test_an_unknown_key_and_a_wrong_one_get_the_same_words() -> None:
    """Nobody learns which ids exist, or existed."""
    text, kept = made()
    _, other = made()
    wrong = (
        Keys(),
        Keys(kept._replace(digest=other.digest)),
        Keys(kept._replace(revoke_time=2.0)),
        Keys(kept._replace(expire_time=99.0)),
    )
    assert 1 == len({await refused(authenticator(store), x_api_key=text) for store in wrong})


async def test_another_store_does_not_take_the_digest() -> None:
    """A digest that leaks from one store opens nothing in another: the pepper is the store's."""
    text, kept = made(pepper=b"p" * 32)
    await refused(authenticator(Keys(kept)), x_api_key=text)


async def test_a_revoked_key_ends_in_time() -> None:
    """Also for a call that began before."""
    text, kept = made()
    store, clock = Keys(kept), Clock()
    checker = authenticator(store, clock)
    caller = await checker.identify({"x-api-key": text})

    store.keys[kept.key_id] = kept._replace(revoke_time=2.0)
    clock.now += MAX_AGE_S
    await refused(checker, x_api_key=text)
    with pytest.raises(Unauthenticated):
        await checker.recheck(caller)


async def test_a_key_ends_by_itself_at_its_time() -> None:
    """To the second, however lately the store was read."""
    text, kept = made(expire_time=101.0)
    clock = Clock()
    checker = authenticator(Keys(kept), clock)
    caller = await checker.identify({"x-api-key": text})

    clock.now = 101.0
    await refused(checker, x_api_key=text)
    with pytest.raises(Unauthenticated):
        await checker.recheck(caller)


async def test_a_caller_has_the_scopes_of_its_key() -> None:
    """No more than was given; a key for which nothing was said has all."""
    text, kept = made(scopes=frozenset({Scope.VERIFY}))
    caller = await authenticator(Keys(kept)).identify({"x-api-key": text})
    assert frozenset({Scope.VERIFY}) == caller.scopes

    text, kept = made()
    assert ALL_SCOPES == (await authenticator(Keys(kept)).identify({"x-api-key": text})).scopes


async def test_a_key_with_a_second_factor_needs_a_token() -> None:
    """Only once the second factor was proven."""
    text, kept = made()
    for since, needs in ((None, False), (50.0, True)):
        store = Keys(kept._replace(totp_secret="A" * 32, totp_since=since))
        assert needs == (await authenticator(store).identify({"x-api-key": text})).needs_token


async def test_uses_are_noted() -> None:
    """The time of the last one, by key, of calls that were let in; written once for many."""
    text, kept = made()
    store, clock = Keys(kept), Clock()
    checker = authenticator(store, clock)
    await refused(checker, x_api_key=text[:-1])
    await checker.uses.write()
    assert [] == store.uses

    await checker.identify({"x-api-key": text})
    clock.now += 1
    await checker.identify({"x-api-key": text})
    store.refuses = True
    await checker.uses.write()
    store.refuses = False
    await checker.uses.write()
    await checker.uses.write()
    assert [{kept.key_id: 101.0}] == store.uses


async def test_without_keys_everybody_is_the_default_tenant() -> None:
    """Where no keys are asked for, a call without one is welcome, one with a bad one is not."""
    checker = authenticator(Keys(), required=False)

    assert Caller("default") == await checker.identify({})
    await refused(checker, x_api_key="mv_no_key_0")


async def test_a_certificate_stands_for_its_tenant() -> None:
    """One of its names is enough; other names, or none, are nobody."""
    shop = Caller("shop", scopes=frozenset({Scope.VERIFY}), credential=Credential.CERTIFICATE)
    checker = authenticator(Keys(), certificates={"spiffe://example.org/shop": shop})

    names = ["shop.example.org", "spiffe://example.org/shop"]
    assert shop == await checker.identify({}, names)
    for names in ([], ["shop.example.org"], ["spiffe://example.org/shop/x"]):
        with pytest.raises(Unauthenticated):
            await checker.identify({}, names)


async def test_a_key_counts_before_a_certificate() -> None:
    """And a wrong key is refused, whatever the certificate says."""
    text, kept = made()
    shop = Caller("shop", credential=Credential.CERTIFICATE)
    checker = authenticator(Keys(kept), certificates={"shop": shop})

    assert caller_of(kept) == await checker.identify({"x-api-key": text}, ["shop"])
    with pytest.raises(Unauthenticated):
        await checker.identify({"x-api-key": text[:-1]}, ["shop"])
