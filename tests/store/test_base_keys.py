"""The contract, for API keys and hindrances; over every store."""

import pytest

from mailvet.errors import AlreadyExists
from mailvet.model.access import ApiKey, Scope
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


async def test_all_of_a_key_is_kept(store: Store) -> None:
    """Scopes, end, last use and second factor come back as they were."""
    key = ApiKey(
        "k3", "acme", "ci", b"d", 1.0, None, frozenset({Scope.VERIFY}), 50.0, 9.0, "ABC", 7.0, 3
    )
    await store.add_key(key)
    nothing = key._replace(key_id="k4", scopes=frozenset[Scope]())
    await store.add_key(nothing)
    assert key == await store.find_key("k3")
    assert nothing == await store.find_key("k4")


async def test_a_rotated_key_ends_when_the_new_one_is_there(store: Store) -> None:
    """Both in one step; the nearer end counts; for a key that is not there nothing is kept."""
    await store.add_key(KEY)
    new = KEY._replace(key_id="k2")
    assert await store.rotate_key("k1", new, 90.0)
    assert [KEY._replace(expire_time=90.0), new] == await store.list_keys("acme")
    assert await store.rotate_key("k1", KEY._replace(key_id="k3"), 100.0)
    assert KEY._replace(expire_time=90.0) == await store.find_key("k1")
    assert not await store.rotate_key("missing", KEY._replace(key_id="k4"), 90.0)
    assert None is await store.find_key("k4")


async def test_a_rotation_into_a_taken_id_changes_nothing(store: Store) -> None:
    """The old key does not end without a new one."""
    await store.add_key(KEY)
    await store.add_key(KEY._replace(key_id="k2"))
    with pytest.raises(AlreadyExists):
        await store.rotate_key("k1", KEY._replace(key_id="k2"), 90.0)
    assert KEY == await store.find_key("k1")


async def test_the_latest_use_counts(store: Store) -> None:
    """Notes may come late; a key that is gone has no use."""
    await store.add_key(KEY)
    await store.note_key_uses({"k1": 50.0, "missing": 50.0})
    await store.note_key_uses({"k1": 40.0})
    assert KEY._replace(last_use_time=50.0) == await store.find_key("k1")


async def test_each_step_of_a_second_factor_is_accepted_once(store: Store, clock: Clock) -> None:
    """The first code proves it; then the secret stays, and no step comes twice or goes back."""
    await store.add_key(KEY)
    assert not await store.accept_totp("k1", 5)  # nothing was begun
    assert await store.begin_totp("k1", "AAAA")
    assert await store.begin_totp("k1", "BBBB")
    proven = clock.now
    assert await store.accept_totp("k1", 5)
    clock.advance(9)
    assert [False, False, True] == [await store.accept_totp("k1", step) for step in (5, 4, 6)]
    assert not await store.begin_totp("k1", "CCCC")
    expected = KEY._replace(totp_secret="BBBB", totp_since=proven, totp_step=6)
    assert expected == await store.find_key("k1")
    assert not await store.begin_totp("missing", "AAAA")


async def test_hindrances_are_said_and_taken_back(store: Store) -> None:
    """One detail for each kind, the latest."""
    await store.note_hindrance("port", "closed")
    await store.note_hindrance("dns", "silent")
    await store.note_hindrance("port", "still closed")
    assert [("dns", "silent"), ("port", "still closed")] == await store.hindrances()
    await store.note_hindrance("dns", None)
    await store.note_hindrance("never said", None)
    assert [("port", "still closed")] == await store.hindrances()
