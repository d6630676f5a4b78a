"""Another tenant's batch and a missing one look the same: for every method there is."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.message import Message

from mailvet.model.batch import ApiKey
from mailvet.rpc.auth import make_key
from mailvet.store.base import Store
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, all_methods, open_channel, request_type, told

NEEDED = {
    "AddEntries": {"entries": [{"input_data": "x@example.org"}]},
    "StreamEntries": {"entries": [{"input_data": "x@example.org"}]},
}
"""What a request needs beside the batch_id to be a good one."""
CREATING = {"BatchService/CreateBatch"}
"""Names a batch that is to be: here another tenant's id is simply free."""

WHOLE = {"BatchService/UpdateBatch"}
"""Names its batch in a whole `Batch`."""


def methods_with_a_batch() -> Iterator[str]:
    """Every method whose request names a batch, from the descriptors."""
    for method in all_methods():
        fields = request_type(method).DESCRIPTOR.fields_by_name
        named = "batch_id" in fields or method in WHOLE
        if named and method not in CREATING:
            yield method


def request_for(method: str, batch_id: str) -> Message:
    """A good request of a method for a batch."""
    if method in WHOLE:
        return request_type(method)(batch={"batch_id": batch_id, "name": "x"})
    more = NEEDED.get(method.partition("/")[2], {})
    return request_type(method)(batch_id=batch_id, **more)


async def key_of(store: Store, tenant: str) -> list[tuple[str, str]]:
    """The metadata that a tenant sends."""
    text, kept = make_key(tenant, "test", pepper=store.secret, wall_clock=lambda: 1.0)
    assert isinstance(kept, ApiKey)
    await store.add_key(kept)
    return [("x-api-key", text)]


async def fill(open_world: OpenWorld, store: Store) -> World:
    """A world of the owner, who has three batches."""
    owner = await open_world(require_keys=True, metadata=await key_of(store, "owner"))
    await owner.create("done", 2, launch=True)
    await work(store)
    await owner.create("running", 2, launch=True)
    await owner.create("draft", 2)
    return owner


@pytest.mark.parametrize("method", list(methods_with_a_batch()))
async def test_a_foreign_batch_is_a_missing_one(
    method: str, open_world: OpenWorld, store: Store
) -> None:
    """The answers differ in the id only."""
    owner = await fill(open_world, store)
    stranger = await key_of(store, "stranger")
    async with open_channel(owner.server.port, stranger) as channel:
        world = World(store, owner.server, channel, owner.verifier, owner.metrics, owner.logs)
        answers = []
        for batch_id in ("done", "running", "draft", "missing"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await world.call(method, request_for(method, batch_id))
            found = told(caught.value)
            answers.append((found.code, found.info.reason, found.message.replace(batch_id, "ID")))

    assert [("NOT_FOUND", "NOT_FOUND", "batch 'ID' was not found")] * 4 == answers


async def test_nothing_of_a_stranger_is_listed(open_world: OpenWorld, store: Store) -> None:
    """Each tenant lists its own batches only, and may use the same ids."""
    owner = await fill(open_world, store)
    async with open_channel(owner.server.port, await key_of(store, "stranger")) as channel:
        world = World(store, owner.server, channel, owner.verifier, owner.metrics, owner.logs)
        await world.create("done")
        (listed,) = await world.call(
            "BatchService/ListBatches", request_type("BatchService/ListBatches")()
        )

    assert ["done"] == [batch.batch_id for batch in listed.batches]  # type: ignore[attr-defined]


def test_the_methods_without_a_batch_are_known() -> None:
    """A new method with another kind of id needs its own case here."""
    without = set(all_methods()) - set(methods_with_a_batch()) - CREATING

    assert {
        "AccountService/GetBalance",
        "AccountService/GetDataPolicy",
        "AccountService/GetOwnLimits",
        "AccountService/GetRules",
        "AccountService/ListDailyUsage",
        "AccountService/UpdateDataPolicy",
        "AccountService/UpdateRules",
        "BatchService/ListBatches",
        "VerificationService/ExplainEmail",
        "VerificationService/VerifyEmail",
        "VerificationService/VerifyEmails",
        "VerificationService/VerifyStream",
        "CatalogService/GetServerInfo",
        "CatalogService/ListLists",
        "CatalogService/ListQualityLevels",
        "CatalogService/ListStatuses",
    } == without
