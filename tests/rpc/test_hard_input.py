"""Whatever bytes come: they are refused in our words, the server goes on, and tokens are ours."""

from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from mailvet.model.admission import AdmissionLimits
from mailvet.model.usage import Charge, Usage
from mailvet.store.base import Store
from mailvet.v1 import batch_service_pb2, catalog_service_pb2, result_service_pb2
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.test_tenants import key_of
from tests.rpc.world import World, all_methods, request_type, told

NESTED = b"\x0a\x05" * 100_000
"""Length-delimited fields in one another; the lengths lie."""
GROUPS = b"\x0b" * 200_000
"""Groups that are opened and never closed: who descends into each runs out of stack."""
LONG_VARINT = b"\x08" + b"\xff" * 200_000


@pytest.mark.parametrize("raw", [NESTED, GROUPS, LONG_VARINT], ids=["nested", "groups", "varint"])
async def test_bytes_that_go_deep_are_refused(world: World, raw: bytes) -> None:
    """By every method, as no message of its own; the server answers the next call."""
    for method in all_methods():
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.call(method, raw)
        found = told(caught.value)
        assert ("INVALID_ARGUMENT", "INVALID_REQUEST") == (found.code, found.info.reason), method
    assert await world.catalog.GetServerInfo(catalog_service_pb2.GetServerInfoRequest())


async def test_a_filter_does_not_go_deep(world: World) -> None:
    """Parentheses in one another are counted, words too."""
    for text in ("(" * 5_000 + "state = RUNNING", "NOT " * 5_000 + "state = RUNNING"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.batches.ListBatches(batch_service_pb2.ListBatchesRequest(filter=text))
        assert "INVALID_ARGUMENT" == told(caught.value).code


async def test_much_metadata_is_refused(world: World) -> None:
    """By gRPC itself, before anything of ours is run; the connection goes on."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.call("CatalogService/GetServerInfo", b"", metadata=(("x-more", "x" * 100_000),))
    assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code()
    assert await world.catalog.GetServerInfo(catalog_service_pb2.GetServerInfoRequest())


async def test_odd_metadata_is_borne(world: World) -> None:
    """Keys many times, values of any bytes, a request id that is none."""
    odd: Sequence[tuple[str, Any]] = (
        ("x-request-id", "a b"),
        ("x-request-id", "x" * 1_000),
        ("authorization", "Bearer"),
        ("authorization", ""),
        ("x-odd-bin", b"\xff\x00\n"),
        ("grpc-accept-encoding", "none-such"),
    )
    assert await world.call("CatalogService/GetServerInfo", b"", metadata=odd)


async def fill(world: World, store: Store) -> None:
    """Two pages of everything that comes in pages."""
    await world.create("b", 4, launch=True)
    await work(store)
    await world.create("c", 1)
    await store.charge([Charge("me", 20_000 + day, Usage(halves=1)) for day in range(3)])
    await key_of(store, "me")


def paged() -> list[str]:
    """Every method that answers in pages, from the descriptors."""
    return [
        method
        for method in all_methods()
        if "page_token" in request_type(method).DESCRIPTOR.fields_by_name
    ]


def asking(method: str, token: str = "") -> Message:
    """The request of a page with one item."""
    more: dict[str, Any] = {}
    if method.startswith("ResultService"):
        more["batch_id"] = "b"
    if method.endswith("ListDailyUsage"):
        more |= {"first_date": "2024-10-01", "last_date": "2024-10-30"}
    return request_type(method)(page_size=1, page_token=token, **more)


@pytest.mark.parametrize("method", paged())
async def test_a_page_token_with_any_bit_flipped_is_refused(
    method: str, open_world: OpenWorld, store: Store
) -> None:
    """Each character of it, in its lowest and in a high bit; the whole one is taken."""
    world = await open_world(
        require_keys=True,
        metadata=await key_of(store, "me"),
        admission=AdmissionLimits(request_rate=0),
    )
    await fill(world, store)
    (page,) = await world.call(method, asking(method))
    token = page.next_page_token  # type: ignore[attr-defined]
    assert token
    assert await world.call(method, asking(method, token))
    for place, character in enumerate(token):
        for bit in (1, 4):
            spoilt = token[:place] + chr(ord(character) ^ bit) + token[place + 1 :]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await world.call(method, asking(method, spoilt))
            found = told(caught.value)
            assert ("INVALID_ARGUMENT", "BAD_PAGE_TOKEN") == (found.code, found.info.reason), spoilt


async def test_a_cursor_with_any_bit_flipped_is_refused(world: World, store: Store) -> None:
    """As a page token; nobody reads from a place that he was not given."""
    await world.create("b", 4, launch=True)
    await work(store)
    frames = await world.call(
        "ResultService/StreamResults",
        result_service_pb2.StreamResultsRequest(batch_id="b", max_results=1),
    )
    cursor = frames[0].cursor  # type: ignore[attr-defined]
    for place, character in enumerate(cursor):
        spoilt = cursor[:place] + chr(ord(character) ^ 1) + cursor[place + 1 :]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.call(
                "ResultService/StreamResults",
                result_service_pb2.StreamResultsRequest(batch_id="b", cursor=spoilt),
            )
        assert ("INVALID_ARGUMENT", "BAD_CURSOR") == (
            told(caught.value).code,
            told(caught.value).info.reason,
        )
