"""CatalogService over the wire."""

import mailvet
from mailvet.batches import limits
from mailvet.model.status import EntryStatus, classification_of
from mailvet.v1 import catalog_service_pb2 as pb
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
