"""ListBatches over the wire: filter, order, pages both ways; targeting."""

import grpc
import pytest

from mailvet.accounts.keys import make_key
from mailvet.store.base import Store
from mailvet.v1 import batch_pb2, result_service_pb2, targeting_pb2
from mailvet.v1 import batch_service_pb2 as pb
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told


async def listed(world: World, **asked: object) -> tuple[str, pb.ListBatchesResponse]:
    """The ids of a page in one text, and the page."""
    page = await world.batches.ListBatches(pb.ListBatchesRequest(**asked))  # type: ignore[arg-type]
    return "".join(batch.batch_id for batch in page.batches), page


async def fill(world: World) -> None:
    """Batches a to e, of alternating priority."""
    for number, name in enumerate("abcde"):
        await world.create(name, 1, priority=number % 2, name=f"n{number}", launch=number == 2)


async def test_pages_lead_both_ways(world: World) -> None:
    """To the end and back to the start: the same pages, whatever the order."""
    await fill(world)
    for order_by, whole in (("", "edcba"), ("priority desc, name", "bdace")):
        pages, token = [], ""
        while True:
            ids, page = await listed(world, page_size=2, order_by=order_by, page_token=token)
            pages.append(ids)
            token = page.next_page_token
            if not token:
                break
        back = [pages[-1]]
        while page.previous_page_token:
            ids, page = await listed(
                world, page_size=2, order_by=order_by, page_token=page.previous_page_token
            )
            back.append(ids)
        forth, _ = await listed(
            world, page_size=2, order_by=order_by, page_token=page.next_page_token
        )
        assert [whole[:2], whole[2:4], whole[4:]] == pages
        assert (pages[::-1], pages[1]) == (back, forth)


async def test_a_list_goes_on_where_a_batch_was_deleted(world: World) -> None:
    """The token says a place, not a batch."""
    await fill(world)
    _, page = await listed(world, page_size=2, order_by="name")
    await world.batches.DeleteBatch(pb.DeleteBatchRequest(batch_id="b"))
    ids, _ = await listed(world, page_size=2, order_by="name", page_token=page.next_page_token)
    assert "cd" == ids


async def test_a_token_keeps_to_its_filter_and_order(world: World) -> None:
    """With others, or damaged, it is refused."""
    await fill(world)
    _, page = await listed(world, page_size=2, order_by="name")
    token = page.next_page_token
    for asked in (
        {"page_token": token},
        {"page_token": token, "order_by": "name", "filter": "priority = 1"},
        {"page_token": token[:-2] + "AA", "order_by": "name"},
        {"page_token": token.partition(".")[0], "order_by": "name"},
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await listed(world, **asked)
        assert "BAD_PAGE_TOKEN" == told(caught.value).info.reason


async def test_a_list_is_filtered(world: World) -> None:
    """By state, name and what the list is meant for; words of enums with or without prefix."""
    await fill(world)
    target = targeting_pb2.Targeting(
        country="SG", audience=targeting_pb2.TARGET_AUDIENCE_JOB_SEEKERS
    )
    moved = targeting_pb2.Targeting(country="MY", objective=16)  # type: ignore[arg-type]
    made = await world.create("t", targeting=target)
    changed = await world.batches.UpdateBatch(
        pb.UpdateBatchRequest(batch=batch_pb2.Batch(batch_id="t", targeting=moved))
    )
    assert target == made.targeting
    assert ("MY", 0, 16) == (
        changed.batch.targeting.country,
        changed.batch.targeting.audience,
        changed.batch.targeting.objective,
    )
    for text, expected in (
        ("state = BATCH_STATE_RUNNING", "c"),
        ("name = 'n*' AND priority = 1", "db"),
        ("targeting.country = MY", "t"),
        ("targeting.objective = WEBSITE_APP_TRAFFIC_ACQUISITION", "t"),
        ("NOT state = DRAFT", "c"),
    ):
        assert expected == (await listed(world, filter=text))[0]


async def test_wrong_filters_orders_and_countries_are_told(world: World) -> None:
    """Each by its field."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await listed(world, filter="colour = red", order_by="colour")
    violations = told(caught.value).details["BadRequest"].field_violations
    assert ["filter", "order_by"] == [one.field for one in violations]
    for country in ("Singapore", "sg", "ZZ"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.create("t", targeting=targeting_pb2.Targeting(country=country))
        (violation,) = told(caught.value).details["BadRequest"].field_violations
        assert "targeting.country" == violation.field
        assert f"no country is '{country}'" in violation.description


async def test_batches_are_listed_by_the_key_that_made_them(
    open_world: OpenWorld, store: Store
) -> None:
    """Verified again, they belong to who asked for it; the same request of another key is fine."""
    worlds, ids = [], []
    for _ in range(2):
        text, kept = make_key("acme", "test", pepper=store.secret, wall_clock=lambda: 1.0)
        await store.add_key(kept)
        ids.append(kept.key_id)
        metadata = [("x-api-key", text)]
        worlds.append(await open_world(require_keys=True, metadata=metadata))
    first, second = worlds
    await first.create("a", 1, launch=True)
    await second.create("b", 1, request_id="r")
    again = await first.create("b", 1, request_id="r")
    await work(store)
    await second.results.ReverifyResults(
        result_service_pb2.ReverifyResultsRequest(batch_id="a", new_batch_id="c")
    )

    assert ids[1] == again.creator
    assert "a" == (await listed(second, filter=f'creator = "{ids[0]}"'))[0]
    assert "cb" == (await listed(first, filter=f'creator = "{ids[1]}"'))[0]
    assert "" == (await listed(first, filter="creator = nobody"))[0]
