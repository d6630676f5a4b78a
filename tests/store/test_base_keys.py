"""The contract, for API keys and hindrances; over every store."""

import pytest

from mailvet.errors import AlreadyExists
from mailvet.model.batch import ApiKey
from mailvet.store.base import Store
from tests.store.samples import Clock

KEY = ApiKey("k1", "acme", "laptop", b"\x00digest", 1.0)


async def test_a_key_is_kept_as_it_is(store: Store) -> None:
    """An unknown id is no key."""
    await store.add_key(KEY)
    assert KEY == await store.find_key("k1")
    assert None is await store.find_key("k2")


async def test_a_key_id_is_used_once(store: Store) -> None:
    """The key that is there stays."""
    await store.add_key(KEY)
    with pytest.raises(AlreadyExists):
        await store.add_key(KEY._replace(tenant="other"))
    assert KEY == await store.find_key("k1")


async def test_keys_are_listed_by_tenant_or_all(store: Store) -> None:
    """The oldest comes first."""
    other = ApiKey("k0", "other", "", b"x", 0.5)
    await store.add_key(KEY)
    await store.add_key(other)
    assert [KEY] == await store.list_keys("acme")
    assert [other, KEY] == await store.list_keys()


async def test_a_revoked_key_is_found_with_the_time_it_was_revoked(
    store: Store, clock: Clock
) -> None:
    """Revoking again keeps the first time; a key that is not there cannot be revoked."""
    await store.add_key(KEY)
    assert await store.revoke_key("k1")
    revoked_at = clock.now
    clock.advance(9)
    assert await store.revoke_key("k1")
    assert KEY._replace(revoke_time=revoked_at) == await store.find_key("k1")
    assert not await store.revoke_key("k2")


async def test_hindrances_are_said_and_taken_back(store: Store) -> None:
    """One detail for each kind, the latest."""
    await store.note_hindrance("port", "closed")
    await store.note_hindrance("dns", "silent")
    await store.note_hindrance("port", "still closed")
    assert [("dns", "silent"), ("port", "still closed")] == await store.hindrances()
    await store.note_hindrance("dns", None)
    await store.note_hindrance("never said", None)
    assert [("port", "still closed")] == await store.hindrances()
