"""API keys over gRPC: made, used, listed, rotated and revoked."""

import time
from typing import Any

import grpc
import pytest

from mailvet.accounts import tenant_keys
from mailvet.accounts.keys import make_key
from mailvet.model.access import ALL_SCOPES, Scope
from mailvet.store.base import Store
from mailvet.v1 import api_key_pb2 as pb
from mailvet.v1 import batch_service_pb2 as batch_pb
from mailvet.v1 import options_pb2
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told


async def open_with_key(open_world: OpenWorld, store: Store, **more: Any) -> World:
    """A world whose caller is an administrator of `acme`."""
    text, kept = make_key("acme", "root", pepper=store.secret, wall_clock=lambda: 1.0, **more)
    await store.add_key(kept)
    return await open_world(require_keys=True, metadata=[("x-api-key", text)])


async def opens(world: World, secret: str) -> bool:
    """Whether a key opens ListBatches."""
    try:
        await world.batches.ListBatches(
            batch_pb.ListBatchesRequest(), metadata=(("authorization", f"Bearer {secret}"),)
        )
    except grpc.aio.AioRpcError as error:
        return bool(told(error).info.reason != "UNAUTHENTICATED")
    return True


async def refused(call: Any) -> Any:
    """What a call that fails says."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


async def test_a_key_is_made_used_and_revoked(open_world: OpenWorld, store: Store) -> None:
    """At once each time, and the secret is told once and kept nowhere."""
    world = await open_with_key(open_world, store)
    made = await world.accounts.CreateApiKey(pb.CreateApiKeyRequest(name="shop"))
    key_id = made.api_key.key_id
    assert await opens(world, made.secret)

    listed = await world.accounts.ListApiKeys(pb.ListApiKeysRequest())
    assert ["root", "shop"] == [key.name for key in listed.api_keys]
    assert made.secret not in str(listed)
    assert made.secret.split("_")[2] not in repr(await store.list_keys())

    request = pb.RevokeApiKeyRequest(key_id=key_id)
    revoked = (await world.accounts.RevokeApiKey(request)).api_key
    assert revoked.HasField("revoke_time")
    assert not await opens(world, made.secret)
    assert revoked == (await world.accounts.RevokeApiKey(request)).api_key


async def test_a_key_has_what_was_asked_for(open_world: OpenWorld, store: Store) -> None:
    """Name, scopes and end; without scopes those of its maker."""
    world = await open_with_key(open_world, store, scopes=frozenset({Scope.ADMIN, Scope.VERIFY}))
    request = pb.CreateApiKeyRequest(name="ci", scopes=[options_pb2.SCOPE_VERIFY])
    request.expire_time.FromSeconds(int(time.time()) + 3600)
    key = (await world.accounts.CreateApiKey(request)).api_key

    assert ("ci", [options_pb2.SCOPE_VERIFY]) == (key.name, list(key.scopes))
    assert request.expire_time == key.expire_time
    assert not key.HasField("last_use_time")
    assert not key.second_factor
    plain = (await world.accounts.CreateApiKey(pb.CreateApiKeyRequest())).api_key
    assert [options_pb2.SCOPE_VERIFY, options_pb2.SCOPE_ADMIN] == list(plain.scopes)
    assert not plain.HasField("expire_time")


async def test_nobody_makes_a_mightier_key(open_world: OpenWorld, store: Store) -> None:
    """Neither a new one, nor a new one in the place of another."""
    mighty, kept = make_key("acme", "", pepper=store.secret, wall_clock=lambda: 1.0)
    await store.add_key(kept)
    world = await open_with_key(open_world, store, scopes=frozenset({Scope.ADMIN}))
    request = pb.CreateApiKeyRequest(scopes=[options_pb2.SCOPE_ADMIN, options_pb2.SCOPE_VERIFY])
    found = await refused(world.accounts.CreateApiKey(request))
    assert ("PERMISSION_DENIED", "VERIFY") == (found.code, found.info.metadata["scope"])

    rotation = pb.RotateApiKeyRequest(key_id=kept.key_id)
    assert "PERMISSION_DENIED" == (await refused(world.accounts.RotateApiKey(rotation))).code
    assert await opens(world, mighty)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": "x" * 201}, "name"),
        ({"scopes": [options_pb2.SCOPE_VERIFY, options_pb2.SCOPE_ANY]}, "scopes[1]"),
        ({"scopes": [0]}, "scopes[0]"),
        ({"scopes": [99]}, "scopes[0]"),
        ({"expire_time": {"seconds": 1}}, "expire_time"),
        ({"expire_time": {"seconds": -1}}, "expire_time"),
        ({"expire_time": {"seconds": 1 << 50}}, "expire_time"),
    ],
)
async def test_wrong_fields_are_named(
    fields: dict[str, Any], path: str, open_world: OpenWorld, store: Store
) -> None:
    """Each with its path, and no key is made."""
    world = await open_with_key(open_world, store)
    found = await refused(world.accounts.CreateApiKey(pb.CreateApiKeyRequest(**fields)))
    (violation,) = found.details["BadRequest"].field_violations

    assert path == violation.field
    assert 1 == len(await store.list_keys())


async def test_a_rotation_leaves_time_to_change_over(open_world: OpenWorld, store: Store) -> None:
    """Both keys work; the old one has an end, a day ahead when nothing is said."""
    world = await open_with_key(open_world, store)
    old = await world.accounts.CreateApiKey(pb.CreateApiKeyRequest(name="shop"))
    reply = await world.accounts.RotateApiKey(pb.RotateApiKeyRequest(key_id=old.api_key.key_id))

    assert (reply.api_key.name, list(reply.api_key.scopes)) == (
        "shop",
        [number for number in options_pb2.Scope.values() if number > options_pb2.SCOPE_ANY],
    )
    assert old.api_key.key_id == reply.replaced.key_id
    left_s = reply.replaced.expire_time.seconds - time.time()
    assert 86_400 - 60 < left_s <= 86_400
    assert await opens(world, old.secret)
    assert await opens(world, reply.secret)
    (_, _, kept) = await store.list_keys("acme")
    assert ALL_SCOPES == kept.scopes


async def test_a_rotation_may_end_the_old_key_at_once(open_world: OpenWorld, store: Store) -> None:
    """Without overlap; what ended is not rotated again."""
    world = await open_with_key(open_world, store)
    old = await world.accounts.CreateApiKey(pb.CreateApiKeyRequest())
    request = pb.RotateApiKeyRequest(key_id=old.api_key.key_id)
    request.overlap.FromSeconds(0)
    reply = await world.accounts.RotateApiKey(request)

    assert not await opens(world, old.secret)
    assert await opens(world, reply.secret)
    assert "NOT_FOUND" == (await refused(world.accounts.RotateApiKey(request))).code


async def test_a_tenant_has_some_keys_that_work(
    open_world: OpenWorld, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that ended do not count."""
    monkeypatch.setattr(tenant_keys, "MAX_KEYS", 3)
    world = await open_with_key(open_world, store)
    first = await world.accounts.CreateApiKey(pb.CreateApiKeyRequest())
    await world.accounts.CreateApiKey(pb.CreateApiKeyRequest())
    rotation = pb.RotateApiKeyRequest(key_id=first.api_key.key_id)
    for call in (
        world.accounts.CreateApiKey(pb.CreateApiKeyRequest()),
        world.accounts.RotateApiKey(rotation),
    ):
        found = await refused(call)
        assert ("QUOTA_EXCEEDED", "api_keys") == (
            found.info.reason,
            found.info.metadata["subject"],
        )

    await world.accounts.RevokeApiKey(pb.RevokeApiKeyRequest(key_id=first.api_key.key_id))
    await world.accounts.CreateApiKey(pb.CreateApiKeyRequest())


async def test_keys_are_listed_in_pages(open_world: OpenWorld, store: Store) -> None:
    """The oldest first, none twice, none left out."""
    world = await open_with_key(open_world, store)
    for number in range(4):
        await world.accounts.CreateApiKey(pb.CreateApiKeyRequest(name=f"k{number}"))
    names, token = [], ""
    while True:
        request = pb.ListApiKeysRequest(page_size=2, page_token=token)
        page = await world.accounts.ListApiKeys(request)
        names += [key.name for key in page.api_keys]
        token = page.next_page_token
        if not token:
            break

    assert ["root", "k0", "k1", "k2", "k3"] == names
