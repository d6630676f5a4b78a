"""CatalogService over the wire."""

from pathlib import Path

import mailvet
from mailvet.batches import limits
from mailvet.config import load
from mailvet.lists import load_lists
from mailvet.model.status import EntryStatus, classification_of
from mailvet.rpc.catalog_service import CatalogService
from mailvet.serve.quality import quality_terms
from mailvet.v1 import catalog_service_pb2 as pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World


async def test_server_info(world: World) -> None:
    """Version, limits and features: each limit is the one that is enforced."""
    info = await world.catalog.GetServerInfo(pb.GetServerInfoRequest())

    assert mailvet.__version__ == info.version
    assert "stream_results" in info.features
    for field, number in info.limits.ListFields():
        assert getattr(limits, field.name.upper()) == number
    assert len(pb.Limits.DESCRIPTOR.fields) == len(info.limits.ListFields())


async def test_every_status_has_a_meaning(world: World) -> None:
    """Each status is listed with its classification and the sentence of the proto."""
    statuses = (await world.catalog.ListStatuses(pb.ListStatusesRequest())).statuses

    assert [status for status in EntryStatus if status] == [info.status for info in statuses]
    for info in statuses:
        assert classification_of(EntryStatus(info.status)) == info.classification
        assert info.meaning.endswith(".")
        assert "\n" not in info.meaning


async def test_quality_levels(open_world: OpenWorld) -> None:
    """Each has its meaning, its price and its times, the quickest first."""
    terms = quality_terms(load({"retry_scale": 0.5}))
    world = await open_world(catalog=CatalogService(terms))
    request = pb.ListQualityLevelsRequest()
    levels = (await world.catalog.ListQualityLevels(request)).quality_levels

    assert [1, 2, 3] == [one.quality for one in levels]
    assert [1, 2, 3] == [one.cost_units for one in levels]
    assert [1, 4, 7] == [one.max_attempts for one in levels]
    assert [30, 150, 300] == [delay.seconds for delay in levels[1].retry_delays]
    assert sorted(one.attempt_timeout.seconds for one in levels) == [180, 420, 900]
    assert "Retries over hours, up to a day. Costs 3 units." == levels[2].meaning
    for field in pb.QualityLevelInfo.DESCRIPTOR.fields:
        assert getattr(levels[2], field.name), field.name


async def test_lists(open_world: OpenWorld, tmp_path: Path) -> None:
    """Every list has its source, date and size; an operator's own are among them."""
    (tmp_path / "disposable.txt").write_text("throwaway.test\n", "utf-8")
    world = await open_world(catalog=CatalogService(lists=lambda: load_lists(tmp_path)))
    lists = (await world.catalog.ListLists(pb.ListListsRequest())).lists

    names = [one.name for one in lists]
    assert sorted(names) == names
    assert {"allow", "disposable", "exchangers", "free", "masked", "organisations"} < set(names)
    assert {"roles", "typos"} < set(names)
    (own,) = [one for one in lists if one.source == "disposable.txt"]
    assert ("disposable", 1, "") == (own.name, own.row_count, own.licence)
    assert all(one.row_count and one.source for one in lists)
