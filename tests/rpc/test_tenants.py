"""Another tenant's things and missing ones look the same: for every method there is.

The cases are made from the descriptors: each id in a request is tried. A method that is added has
to be told here what a good request of it needs, or that it names nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.json_format import MessageToJson, ParseDict
from google.protobuf.message import Message

from mailvet.accounts.keys import make_key
from mailvet.store.base import Store
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, all_methods, open_channel, request_type, told

FOREIGN = {"batch_id": ("done", "running", "draft"), "key_id": ("spare",)}
"""What the owner has, by the name of the field that names it; `spare` is one of its keys."""
NO_IDS = {"request_id", "CreateBatchRequest.batch_id", "ReverifyResultsRequest.new_batch_id"}
"""Ids that name nothing of a tenant yet, or nothing at all."""
FILTERING = {"AccountService/ListAuditEvents"}
"""Methods that find nothing where others say that there is no such thing."""
NEEDED: dict[str, dict[str, Any]] = {
    "AddEntries": {"entries": [{"input_data": "x@example.org"}]},
    "StreamEntries": {"entries": [{"input_data": "x@example.org"}]},
    "UpdateBatch": {"batch": {"name": "x"}},
}
"""What a request needs beside its id to be a good one."""
WITHOUT_IDS = {
    "AccountService/CreateApiKey",
    "AccountService/EraseAddress",
    "AccountService/GetBalance",
    "AccountService/GetDataPolicy",
    "AccountService/GetOwnLimits",
    "AccountService/GetRules",
    "AccountService/ListApiKeys",
    "AccountService/ListDailyUsage",
    "AccountService/UpdateDataPolicy",
    "AccountService/UpdateRules",
    "AuthService/EnrollTotp",
    "AuthService/IssueToken",
    "AuthService/VerifyTotp",
    "BatchService/CreateBatch",
    "BatchService/ListBatches",
    "CatalogService/GetServerInfo",
    "CatalogService/ListLists",
    "CatalogService/ListQualityLevels",
    "CatalogService/ListStatuses",
    "VerificationService/ExplainEmail",
    "VerificationService/VerifyEmail",
    "VerificationService/VerifyEmails",
    "VerificationService/VerifyStream",
}
"""Methods that name nothing; those that list are looked at below."""


class Case(NamedTuple):
    """One id in the request of one method."""

    method: str
    path: tuple[str, ...]

    def request(self, value: str) -> Message:
        """A good request of the method about what has this id."""
        fields = dict(NEEDED.get(self.method.partition("/")[2], {}))
        place = fields
        for name in self.path[:-1]:
            place[name] = place = dict(place.get(name, {}))
        place[self.path[-1]] = value
        return ParseDict(fields, request_type(self.method)())


def ids_of(message: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all ids in a message, but for those in lists."""
    for field in message.fields:
        if field.is_repeated or {field.name, f"{message.name}.{field.name}"} & NO_IDS:
            continue
        if field.message_type and field.message_type.file.package == "mailvet.v1":
            yield from ids_of(field.message_type, (*path, field.name))
        elif field.name.endswith("_id"):
            yield (*path, field.name)


CASES = [
    Case(method, path)
    for method in all_methods()
    for path in ids_of(request_type(method).DESCRIPTOR)
]


async def key_of(store: Store, tenant: str) -> list[tuple[str, str]]:
    """The metadata that a tenant sends."""
    text, kept = make_key(tenant, "test", pepper=store.secret, wall_clock=lambda: 1.0)
    await store.add_key(kept)
    return [("x-api-key", text)]


async def fill(open_world: OpenWorld, store: Store) -> World:
    """A world of the owner, who has three batches and a spare key."""
    _, spare = make_key("owner", "", pepper=store.secret, wall_clock=lambda: 1.0)
    await store.add_key(spare._replace(key_id="spare"))
    owner = await open_world(require_keys=True, metadata=await key_of(store, "owner"))
    await owner.create("done", 2, launch=True)
    await work(store)
    await owner.create("running", 2, launch=True)
    await owner.create("draft", 2)
    return owner


@asynccontextmanager
async def stranger_in(owner: World, store: Store) -> Any:
    """The same world as another tenant sees it."""
    async with open_channel(owner.server.port, await key_of(store, "stranger")) as channel:
        yield World(store, owner.server, channel, owner.verifier, owner.metrics, owner.logs)


async def outcome(world: World, case: Case, value: str) -> Sequence[str]:
    """All that a caller is told, with the id taken out."""
    try:
        replies = await world.call(case.method, case.request(value))
        answer = ["OK", *map(MessageToJson, replies)]
    except grpc.aio.AioRpcError as error:
        found = told(error)
        answer = [found.code, found.message, str(found.info), *map(str, found.details.values())]
    return [text.replace(value, "ID") for text in answer]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {'.'.join(case.path)}")
async def test_what_is_foreign_is_missing(case: Case, open_world: OpenWorld, store: Store) -> None:
    """Code, words and details are the same, and nothing happened to the owner's."""
    owner = await fill(open_world, store)
    before = await kept_by(store, "owner")
    async with stranger_in(owner, store) as stranger:
        missing = await outcome(stranger, case, "missing")
        for value in FOREIGN[case.path[-1]]:
            assert missing == await outcome(stranger, case, value)

    assert ("OK" if case.method in FILTERING else "NOT_FOUND") == missing[0]
    assert before == await kept_by(store, "owner")


async def kept_by(store: Store, tenant: str) -> list[object]:
    """What a tenant has."""
    batches = [await store.progress(tenant, batch_id) for batch_id in FOREIGN["batch_id"]]
    keys = [key._replace(last_use_time=None) for key in await store.list_keys(tenant)]
    return [batches, keys]


def test_the_methods_that_name_nothing_are_known() -> None:
    """A new method has its cases from its ids, or is entered here."""
    assert WITHOUT_IDS == set(all_methods()) - {case.method for case in CASES}


async def test_nothing_of_a_stranger_is_listed(open_world: OpenWorld, store: Store) -> None:
    """Each tenant lists its own only, and may use the same ids."""
    owner = await fill(open_world, store)
    async with stranger_in(owner, store) as stranger:
        await stranger.create("done")
        (batches,) = await listed(stranger, "BatchService/ListBatches")
        (keys,) = await listed(stranger, "AccountService/ListApiKeys")

    assert ["done"] == [batch.batch_id for batch in batches.batches]
    assert ["test"] == [key.name for key in keys.api_keys]


async def listed(world: World, method: str, **fields: Any) -> Any:
    """The reply of a method that lists."""
    return await world.call(method, request_type(method)(**fields))


BY_DAY = {"AccountService/ListDailyUsage"}
"""Has a second page only after a second day; its token is bound to the tenant as all are."""
PAGED = [
    method
    for method in all_methods()
    if "page_token" in request_type(method).DESCRIPTOR.fields_by_name and method not in BY_DAY
]


@pytest.mark.parametrize("method", PAGED)
async def test_a_page_token_is_its_tenants(
    method: str, open_world: OpenWorld, store: Store
) -> None:
    """What leads one tenant on leads nobody else anywhere."""
    owner = await fill(open_world, store)
    fields: dict[str, Any] = {"page_size": 1}
    if "batch_id" in request_type(method).DESCRIPTOR.fields_by_name:
        fields["batch_id"] = "done"
    (page,) = await listed(owner, method, **fields)
    assert page.next_page_token

    async with stranger_in(owner, store) as stranger:
        await stranger.create("done", 2, launch=True)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await listed(stranger, method, **fields, page_token=page.next_page_token)
    assert "BAD_PAGE_TOKEN" == told(caught.value).info.reason
