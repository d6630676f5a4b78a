"""Tokens and second factors over the wire."""

import time
from typing import Any

import grpc
import pyotp
import pytest

from mailvet.accounts.keys import make_key
from mailvet.store.base import Store
from mailvet.v1 import api_key_pb2, options_pb2
from mailvet.v1 import auth_service_pb2 as pb
from mailvet.v1 import batch_service_pb2 as batch_pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.test_api_keys import open_with_key, opens, refused
from tests.rpc.world import World, told


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call with a token."""
    return (("authorization", f"Bearer {token}"),)


async def test_a_token_opens_what_its_key_opens(open_world: OpenWorld, store: Store) -> None:
    """For a quarter of an hour when nothing is said."""
    world = await open_with_key(open_world, store)
    reply = await world.auth.IssueToken(pb.IssueTokenRequest())

    assert 840 < reply.expire_time.seconds - time.time() <= 900
    assert await opens(world, reply.token)


async def test_a_token_may_be_for_less(open_world: OpenWorld, store: Store) -> None:
    """Scopes and time, as it was asked for."""
    world = await open_with_key(open_world, store)
    request = pb.IssueTokenRequest(scopes=[options_pb2.SCOPE_BATCHES_READ])
    request.lifetime.FromSeconds(60)
    reply = await world.auth.IssueToken(request)

    assert await opens(world, reply.token)
    delete = batch_pb.DeleteBatchRequest(batch_id="b")
    found = await refused(world.batches.DeleteBatch(delete, metadata=bearer(reply.token)))
    assert ("PERMISSION_DENIED", "BATCHES_DELETE") == (found.code, found.info.metadata["scope"])
    assert reply.expire_time.seconds - time.time() <= 60


async def test_a_revoked_keys_tokens_are_revoked(open_world: OpenWorld, store: Store) -> None:
    """A token that was issued for a key ends with it."""
    world = await open_with_key(open_world, store)
    made = await world.accounts.CreateApiKey(api_key_pb2.CreateApiKeyRequest())
    metadata = bearer(made.secret)
    token = (await world.auth.IssueToken(pb.IssueTokenRequest(), metadata=metadata)).token
    assert await opens(world, token)

    request = api_key_pb2.RevokeApiKeyRequest(key_id=made.api_key.key_id)
    await world.accounts.RevokeApiKey(request)
    assert not await opens(world, token)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"lifetime": {"seconds": 59}}, "lifetime"),
        ({"lifetime": {"seconds": 3601}}, "lifetime"),
        ({"scopes": [1]}, "scopes[0]"),
    ],
)
async def test_wrong_fields_are_named(
    fields: dict[str, Any], path: str, open_world: OpenWorld, store: Store
) -> None:
    """Each with its path."""
    world = await open_with_key(open_world, store)
    found = await refused(world.auth.IssueToken(pb.IssueTokenRequest(**fields)))
    (violation,) = found.details["BadRequest"].field_violations
    assert path == violation.field


async def test_only_keys_get_tokens(open_world: OpenWorld, store: Store) -> None:
    """A token does not beget another one, and nobody gets one where no keys are asked for."""
    world = await open_with_key(open_world, store)
    token = (await world.auth.IssueToken(pb.IssueTokenRequest())).token
    calls = (
        world.auth.IssueToken(pb.IssueTokenRequest(), metadata=bearer(token)),
        world.auth.EnrollTotp(pb.EnrollTotpRequest(), metadata=bearer(token)),
        world.auth.VerifyTotp(pb.VerifyTotpRequest(), metadata=bearer(token)),
    )
    assert ["PERMISSION_DENIED"] * 3 == [(await refused(call)).code for call in calls]

    anybody = await open_world()
    assert (
        "PERMISSION_DENIED" == (await refused(anybody.auth.IssueToken(pb.IssueTokenRequest()))).code
    )


async def enrolled(world: World) -> pyotp.TOTP:
    """Give the calling key a second factor; returns what shows its codes."""
    reply = await world.auth.EnrollTotp(pb.EnrollTotpRequest())
    codes = pyotp.TOTP(reply.secret)
    # The code of the step before counts too, and leaves the later ones for the test.
    await world.auth.VerifyTotp(pb.VerifyTotpRequest(totp_code=codes.at(int(time.time()) - 30)))
    return codes


async def test_a_second_factor_closes_all_but_the_way_to_a_token(
    open_world: OpenWorld, store: Store
) -> None:
    """The key alone opens nothing; with a code there is a token, which opens all."""
    world = await open_with_key(open_world, store)
    codes = await enrolled(world)
    listing = batch_pb.ListBatchesRequest()
    for call in (
        world.batches.ListBatches(listing),
        world.auth.IssueToken(pb.IssueTokenRequest()),
        world.auth.IssueToken(pb.IssueTokenRequest(totp_code="0")),
    ):
        found = await refused(call)
        assert ("UNAUTHENTICATED", "SECOND_FACTOR_NEEDED") == (found.code, found.info.reason)

    request = pb.IssueTokenRequest(totp_code=codes.now())
    token = (await world.auth.IssueToken(request)).token
    assert await opens(world, token)
    assert "SECOND_FACTOR_NEEDED" == (await refused(world.auth.IssueToken(request))).info.reason
    keys = await world.accounts.ListApiKeys(
        api_key_pb2.ListApiKeysRequest(), metadata=bearer(token)
    )
    assert [True] == [key.second_factor for key in keys.api_keys]


async def test_a_rotated_key_keeps_its_second_factor(open_world: OpenWorld, store: Store) -> None:
    """The new one opens no more by itself than the old one."""
    world = await open_with_key(open_world, store)
    codes = await enrolled(world)
    token = (await world.auth.IssueToken(pb.IssueTokenRequest(totp_code=codes.now()))).token
    (kept,) = await store.list_keys()
    request = api_key_pb2.RotateApiKeyRequest(key_id=kept.key_id)
    new = (await world.accounts.RotateApiKey(request, metadata=bearer(token))).secret

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.ListBatches(batch_pb.ListBatchesRequest(), metadata=bearer(new))
    assert "SECOND_FACTOR_NEEDED" == told(caught.value).info.reason


async def test_a_foreign_token_opens_nothing(open_world: OpenWorld, store: Store) -> None:
    """One of another store, for a key of the same name."""
    world = await open_with_key(open_world, store)
    token = (await world.auth.IssueToken(pb.IssueTokenRequest())).token
    (kept,) = await store.list_keys()
    other = type(store)()
    text, key = make_key("acme", "", pepper=other.secret, wall_clock=lambda: 1.0)
    await other.add_key(key)
    await other.add_key(kept)
    elsewhere = await open_world(store=other, require_keys=True, metadata=[("x-api-key", text)])
    assert not await opens(elsewhere, token)
