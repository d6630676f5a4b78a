"""API keys."""

from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailvet.errors import Unauthenticated
from mailvet.model.batch import ApiKey
from mailvet.rpc.auth import CACHE_S, Authenticator, Caller, digest, make_key, parse_key
from mailvet.store.base import Store
from mailvet.v1 import batch_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import told

PEPPER = bytes(32)


def made(tenant: str = "acme", pepper: bytes = PEPPER) -> tuple[str, ApiKey]:
    return make_key(tenant, "ci", pepper=pepper, wall_clock=lambda: 1.0)


class KeyStore:
    """Keeps keys and counts how often it is asked."""

    secret = PEPPER

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.key_id: key for key in keys}
        self.asked = 0

    async def find_key(self, key_id: str) -> ApiKey | None:
        self.asked += 1
        return self.keys.get(key_id)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def authenticator(
    store: KeyStore, clock: Clock | None = None, required: bool = True
) -> Authenticator:
    return Authenticator(store, required=required, clock=clock or Clock())  # type: ignore[arg-type]


def test_a_key_is_read_back() -> None:
    """The id and the secret of a key stand in it; the secret is not kept."""
    text, kept = made()
    parsed = parse_key(text)

    assert parsed is not None
    assert (kept.key_id, kept.digest) == (parsed.key_id, digest(parsed.secret, PEPPER))
    assert parsed.secret not in repr(kept)
    assert text.startswith("mv_")


def test_no_two_keys_are_the_same() -> None:
    """Ids and secrets are random."""
    assert 50 == len({made()[1].key_id for _ in range(50)})


@given(st.integers(0, 200), st.characters())
def test_a_typing_error_is_no_key(place: int, char: str) -> None:
    """One wrong character anywhere fails the checksum or the form."""
    text, _ = made()
    place %= len(text)
    wrong = text[:place] + char + text[place + 1 :]

    assert wrong == text or parse_key(wrong) is None


@given(st.text())
def test_any_text_is_no_key(text: str) -> None:
    """Whatever else is sent is no key, and nothing breaks."""
    assert parse_key(text) is None


@pytest.mark.parametrize(
    "metadata",
    [{"x-api-key": "KEY"}, {"authorization": "Bearer KEY"}, {"authorization": "bearer  KEY "}],
)
async def test_both_headers_are_understood(metadata: dict[str, str]) -> None:
    """A key may come as x-api-key or as a bearer token."""
    text, kept = made()
    sent = {name: value.replace("KEY", text) for name, value in metadata.items()}

    assert Caller("acme", kept.key_id) == await authenticator(KeyStore(kept)).identify(sent)


async def test_a_wrong_checksum_does_not_reach_the_store() -> None:
    """Guessing costs the guesser, not the store."""
    text, kept = made()
    store = KeyStore(kept)
    for wrong in ("", text[:-1], text[:-1] + "?", "mv_a_b_c", "secret"):
        with pytest.raises(Unauthenticated):
            await authenticator(store).identify({"x-api-key": wrong})

    assert 0 == store.asked


async def test_an_unknown_key_and_a_wrong_one_get_the_same_words() -> None:
    """Nobody learns which ids exist."""
    text, kept = made()
    _, other = made()
    impostor = kept._replace(digest=other.digest)
    words = set()
    for store in (KeyStore(), KeyStore(impostor), KeyStore(kept._replace(revoke_time=2.0))):
        with pytest.raises(Unauthenticated) as caught:
            await authenticator(store).identify({"x-api-key": text})
        words.add(str(caught.value))

    assert 1 == len(words)


async def test_another_store_does_not_take_the_digest() -> None:
    """A digest that leaks from one store opens nothing in another: the pepper is the store's."""
    text, kept = made(pepper=b"p" * 32)
    with pytest.raises(Unauthenticated):
        await authenticator(KeyStore(kept)).identify({"x-api-key": text})


async def test_the_store_is_asked_once_in_a_while() -> None:
    """A busy caller costs one look a few seconds; a revoked key ends as fast."""
    text, kept = made()
    store, clock = KeyStore(kept), Clock()
    checker = authenticator(store, clock)
    for _ in range(10):
        caller = await checker.identify({"x-api-key": text})
    assert 1 == store.asked

    store.keys[kept.key_id] = kept._replace(revoke_time=2.0)
    clock.now += CACHE_S
    with pytest.raises(Unauthenticated):
        await checker.identify({"x-api-key": text})
    with pytest.raises(Unauthenticated):
        await checker.recheck(caller)


async def test_without_keys_everybody_is_the_default_tenant() -> None:
    """Where no keys are asked for, a call without one is welcome, one with a bad one is not."""
    checker = authenticator(KeyStore(), required=False)

    assert Caller("default") == await checker.identify({})
    with pytest.raises(Unauthenticated):
        await checker.identify({"x-api-key": "mv_no_key_0"})


async def test_a_call_needs_its_key(open_world: OpenWorld, store: Store) -> None:
    """Over the wire: with the key the call is answered, without it is not."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    world = await open_world(require_keys=True)
    listing = pb.ListBatchesRequest()

    await world.batches.ListBatches(listing, metadata=(("authorization", f"Bearer {text}"),))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.ListBatches(listing)
    assert "UNAUTHENTICATED" == told(caught.value).info.reason


async def test_a_revoked_key_ends_a_stream(open_world: OpenWorld, store: Store) -> None:
    """A stream that began with a good key ends once the key is revoked."""
    text, kept = made("acme", store.secret)
    await store.add_key(kept)
    clock = Clock()
    world = await open_world(require_keys=True, clock=clock, metadata=(("x-api-key", text),))
    await world.create("b", 2, launch=True)
    watch = world.batches.WatchBatch(pb.WatchBatchRequest(batch_id="b"))
    await watch.read()
    await store.revoke_key(kept.key_id)
    clock.now += CACHE_S
    await store.cancel_batch("acme", "b")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await read_to_the_end(watch)

    assert grpc.StatusCode.UNAUTHENTICATED is caught.value.code()


async def read_to_the_end(stream: Any) -> None:
    """Read a stream until it ends, well or not."""
    async for _ in stream:
        pass
