"""The audit log over the wire: one event for each call that changes something, refused ones too."""

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from mailvet.accounts.audit_log import REFUSALS_PER_MINUTE
from mailvet.accounts.keys import make_key
from mailvet.model.access import ALL_SCOPES, Scope, Scopes
from mailvet.model.audit import AuditEvent, AuditFilter
from mailvet.rpc.audit import RIDING
from mailvet.rpc.permission import permission_of
from mailvet.store.base import Store
from mailvet.store.sqlite import SqliteStore
from mailvet.store.sqlite_writer import Writer
from mailvet.v1 import api_key_pb2, audit_pb2
from mailvet.v1 import batch_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import SERVICES, World, request_type, told

AUDITED = [
    f"{method.containing_service.name}/{method.name}"
    for service in SERVICES
    for method in service.methods
    if permission_of(method).audited
]


@pytest.fixture(name="sqlite")
async def _sqlite(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with transactions."""
    store = await SqliteStore.open(tmp_path / "store.db", reserve_bytes=4096)
    yield store
    await store.close()


async def open_with(open_world: OpenWorld, store: Store, scopes: Scopes = ALL_SCOPES) -> World:
    """A world of `acme`, called with a key."""
    text, kept = make_key("acme", "", pepper=store.secret, wall_clock=lambda: 1.0, scopes=scopes)
    await store.add_key(kept)
    return await open_world(store=store, require_keys=True, metadata=[("x-api-key", text)])


async def events(world: World) -> list[AuditEvent]:
    """All that is written, once the server has ended, the oldest first."""
    await world.server.stop(0)
    rows = await world.store.list_audit(AuditFilter(), limit=1000)
    return [row.event for row in reversed(rows)]


async def attempt(world: World, method: str, **more: Any) -> str:
    """Call a method with an empty request; returns the code that it ends with."""
    try:
        await world.call(method, request_type(method)(), **more)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


async def test_every_audited_method_leaves_one_event(
    open_world: OpenWorld, sqlite: SqliteStore
) -> None:
    """However it ends, with that code; every method there is, from the descriptors."""
    world = await open_with(open_world, sqlite)
    ended = {f"mailvet.v1.{method}": await attempt(world, method) for method in AUDITED}
    found = await events(world)

    assert ended == {event.method: event.code for event in found}
    assert len(ended) == len(found)
    assert {"acme"} == {event.tenant for event in found}
    assert {"api_key"} == {event.credential for event in found}


@pytest.mark.parametrize("refusal", ["UNAUTHENTICATED", "PERMISSION_DENIED"])
async def test_every_refusal_leaves_one_event(
    refusal: str, open_world: OpenWorld, store: Store
) -> None:
    """Of nobody, and of a key that lacks the scope; those for any caller are not refused."""
    world = await open_with(open_world, store, frozenset({Scope.VERIFY}))
    closed = [method for method in AUDITED if not method.startswith("AuthService/")]
    bad = [("authorization", "Bearer mv_wrong")] if refusal == "UNAUTHENTICATED" else []
    for method in closed:
        assert refusal == await attempt(world, method, metadata=bad)
    found = await events(world)

    assert Counter(f"mailvet.v1.{method}" for method in closed) == Counter(
        event.method for event in found
    )
    assert {(refusal, refusal)} == {(event.code, event.reason) for event in found}
    assert {refusal == "UNAUTHENTICATED"} == {event.tenant == "" for event in found}


async def test_a_refusal_leaves_an_event_where_no_line_is_logged(
    open_world: OpenWorld, store: Store
) -> None:
    """The audit log does not depend on the level of the other one."""
    world = await open_world(store=store, require_keys=True, log_level=logging.WARNING)
    assert "UNAUTHENTICATED" == await attempt(world, "BatchService/DeleteBatch")
    (event,) = await events(world)

    assert "UNAUTHENTICATED" == event.code
    assert [] == world.logs


async def test_what_only_reads_leaves_none(open_world: OpenWorld, store: Store) -> None:
    """Nor do refusals of it."""
    world = await open_with(open_world, store)
    for service in SERVICES:
        for method in service.methods:
            name = f"{service.name}/{method.name}"
            if name not in AUDITED:
                await attempt(world, name)
                await attempt(world, name, metadata=[("authorization", "Bearer mv_wrong")])
    assert [] == await events(world)


async def test_an_event_says_who_and_what(open_world: OpenWorld, sqlite: SqliteStore) -> None:
    """The batch, the key, where from, the request id; of keys which one it was about."""
    world = await open_with(open_world, sqlite)
    (key,) = await sqlite.list_keys()
    before = time.time()
    await world.create("spring", 2)
    await world.create("", 2)
    made = await world.accounts.CreateApiKey(
        api_key_pb2.CreateApiKeyRequest(), metadata=(("x-request-id", "abc-1"),)
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await world.batches.DeleteBatch(pb.DeleteBatchRequest(batch_id="missing"))
    update = pb.UpdateBatchRequest(batch={"batch_id": "spring", "name": "x"})  # type: ignore[arg-type]
    await world.batches.UpdateBatch(update)
    found = sorted(await events(world), key=lambda event: event.event_time)

    assert ["spring", "missing", "spring"] == [
        event.batch_id for event in found if event.batch_id not in ("", found[1].batch_id)
    ]
    assert found[1].batch_id  # the one that the server chose
    assert (made.api_key.key_id, "abc-1") == (found[2].subject_key_id, found[2].request_id)
    assert ["OK", "OK", "OK", "NOT_FOUND", "OK"] == [event.code for event in found]
    assert {key.key_id} == {event.key_id for event in found}
    assert all(event.peer.startswith("ipv4:127.0.0.1:") for event in found)
    assert all(before <= event.event_time <= time.time() for event in found)


async def test_no_address_gets_into_it(open_world: OpenWorld, store: Store) -> None:
    """Neither from a field where an id should be, nor from the request id."""
    world = await open_with(open_world, store)
    for batch_id in ("ann@example.org", "x" * 5000, "ann example.org"):
        request = pb.DeleteBatchRequest(batch_id=batch_id)
        with pytest.raises(grpc.aio.AioRpcError):
            await world.batches.DeleteBatch(
                request, metadata=(("x-request-id", "ann@example.org"),)
            )
    found = await events(world)

    assert 3 == len(found)
    assert {("", "")} == {(event.batch_id, event.request_id) for event in found}


async def test_a_riding_event_costs_no_commit(
    open_world: OpenWorld, sqlite: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is called most writes once, its event in the same transaction."""
    world = await open_with(open_world, sqlite)
    writes: list[object] = []
    write = Writer.write

    async def counted(self: Writer, operation: Any, *, alone: bool = False) -> Any:
        if not alone:
            writes.append(operation)
        return await write(self, operation, alone=alone)

    monkeypatch.setattr(Writer, "write", counted)
    entries = [{"input_data": "x@example.org"}]
    requests: dict[str, dict[str, Any]] = {
        "CreateBatch": {"batch_id": "b"},
        "AddEntries": {"batch_id": "b", "entries": entries},
        "LaunchBatch": {"batch_id": "b"},
    }
    assert requests.keys() == RIDING
    for method, fields in requests.items():
        writes.clear()
        name = f"BatchService/{method}"
        await world.call(name, request_type(name)(**fields))
        assert 1 == len(writes), method
        (newest,) = await sqlite.list_audit(AuditFilter(), limit=1)
        assert (f"mailvet.v1.{name}", "OK", "b") == (
            newest.event.method,
            newest.event.code,
            newest.event.batch_id,
        )


async def test_a_stream_leaves_one_event(open_world: OpenWorld, sqlite: SqliteStore) -> None:
    """However many frames it has; one that is cut says so."""
    world = await open_with(open_world, sqlite)
    await world.create("b")
    frames = [
        pb.StreamEntriesRequest(batch_id="b", entries=[{"input_data": "x@example.org"}])  # type: ignore[list-item]
        for _ in range(5)
    ]
    assert [frame async for frame in world.batches.StreamEntries(iter(frames))]
    cut = world.batches.StreamEntries()
    await cut.write(pb.StreamEntriesRequest(batch_id="b"))
    await cut.read()
    cut.cancel()
    while world.metrics.open_calls("mailvet.v1.BatchService/StreamEntries"):
        await asyncio.sleep(0.01)
    found = [event for event in await events(world) if event.method.endswith("StreamEntries")]

    assert [("OK", "b"), ("CANCELLED", "b")] == [(event.code, event.batch_id) for event in found]


async def test_a_storm_of_refusals_is_counted_together(open_world: OpenWorld, store: Store) -> None:
    """A row each up to a number in a minute; none is left out of the count."""
    # A clock that runs ahead: refusals as fast as here would be held up.
    seconds = itertools.count()
    world = await open_world(store=store, require_keys=True, clock=lambda: float(next(seconds)))
    calls = 3 * REFUSALS_PER_MINUTE
    for _ in range(calls):
        await attempt(world, "BatchService/CancelBatch")
    found = await events(world)

    assert calls == sum(event.call_count for event in found)
    assert len(found) <= 2 * (REFUSALS_PER_MINUTE + 1)  # the minute may change in between


async def test_a_tenant_reads_its_own_events(open_world: OpenWorld, store: Store) -> None:
    """The newest first, in pages, filtered; refusals of a moment ago are there."""
    other = await open_world(store=store)
    await other.create("hidden")
    world = await open_with(open_world, store)
    for number in range(4):
        await world.create(f"b{number}")
    with pytest.raises(grpc.aio.AioRpcError):
        await world.create("b0")

    names, token = [], ""
    while True:
        request = audit_pb2.ListAuditEventsRequest(page_size=2, page_token=token)
        page = await world.accounts.ListAuditEvents(request)
        names += [(event.batch_id, event.code) for event in page.events]
        token = page.next_page_token
        if not token:
            break
    assert [("b0", "ALREADY_EXISTS"), *((f"b{n}", "OK") for n in (3, 2, 1, 0))] == names

    one = audit_pb2.ListAuditEventsRequest(batch_id="b0")
    page = await world.accounts.ListAuditEvents(one)
    assert ["ALREADY_EXISTS", "OK"] == [event.code for event in page.events]
    assert page.events[0].call_count == 1
    one.end_time.FromSeconds(1)
    assert not (await world.accounts.ListAuditEvents(one)).events
    one.end_time.Clear()
    one.start_time.FromSeconds(int(time.time()) + 60)
    assert not (await world.accounts.ListAuditEvents(one)).events


async def test_a_wrong_time_is_named(open_world: OpenWorld, store: Store) -> None:
    """With the path of the field."""
    world = await open_with(open_world, store)
    request = audit_pb2.ListAuditEventsRequest(start_time={"seconds": -1})  # type: ignore[arg-type]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.accounts.ListAuditEvents(request)
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert "start_time" == violation.field
