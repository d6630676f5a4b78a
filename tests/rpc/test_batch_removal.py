"""What the launch removes, and phone numbers, over the wire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import grpc
import pytest

from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from mailvet.v1 import export_pb2, result_service_pb2, targeting_pb2
from mailvet.v1 import upload_file_pb2 as file_pb
from tests.batches.engine import work
from tests.rpc.test_export_stream import frames_of, joined
from tests.rpc.world import World, told

CONTENT = (
    b"name,email,phone\n"
    b"ann,ann@a.test,6123 4567\n"
    b"bob,bob@a.test,+44 20 7946 0018\n"
    b"cy,cy@a.test,12\n"
    b"dee,not an address,+6561234568\n"
    b"ann again,ann@a.test,\n"
    b"eve,eve@a.test,call me\n"
)


async def uploaded(
    world: World, settings: Mapping[str, Any] = MappingProxyType({}), **fields: Any
) -> None:
    """A draft of the file."""
    await world.create("b", **fields)
    await world.batches.AddFile(
        file_pb.AddFileRequest(
            batch_id="b",
            settings=file_pb.FileSettings(name="list.csv", **settings),
            data=CONTENT,
        )
    )


async def prepared(world: World, **fields: Any) -> pb.PrepareBatchResponse:
    """Prepare the draft."""
    response: pb.PrepareBatchResponse = await world.batches.PrepareBatch(
        pb.PrepareBatchRequest(batch_id="b", **fields)
    )
    counted = (
        response.unique_count
        + response.duplicate_count
        + response.wrong_format_count
        + response.removed_phone_count
    )
    assert response.entry_count == counted == 6
    return response


async def indexes(world: World) -> list[int]:
    """The entries that have a result."""
    page = await world.results.ListResults(result_service_pb2.ListResultsRequest(batch_id="b"))
    return sorted(result.index for result in page.results)


@pytest.mark.parametrize(
    ("removal", "removed", "left"),
    [
        ({}, 0, [0, 1, 2, 3, 4, 5]),
        ({"duplicates": True}, 1, [0, 1, 2, 3, 5]),
        ({"wrong_format": True}, 1, [0, 1, 2, 4, 5]),
        ({"duplicates": True, "wrong_format": True}, 2, [0, 1, 2, 5]),
    ],
)
async def test_the_launch_removes_what_was_asked(
    world: World, removal: dict[str, bool], removed: int, left: list[int]
) -> None:
    """The counts before it agree with what comes of it."""
    await uploaded(world, removal=batch_pb.Removal(**removal))
    found = await prepared(world)
    assert (removed, 4, 4) == (found.removed_count, found.unique_count, found.cost_units)
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    batch = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch
    assert left == await indexes(world)
    assert (batch_pb.BATCH_STATE_COMPLETED, removed, len(left)) == (
        batch.state,
        batch.removed_count,
        batch.progress.result_count,
    )
    for index in range(6):
        one = await world.results.GetResult(
            result_service_pb2.GetResultRequest(batch_id="b", index=index)
        )
        is_left = one.state == result_service_pb2.ENTRY_STATE_DONE
        assert is_left is (index in left)
        assert is_left or one.state == result_service_pb2.ENTRY_STATE_REMOVED


async def test_phone_numbers_are_looked_at(world: World) -> None:
    """By the country that is named, else the one the list is aimed at; repeatable."""
    await uploaded(world, targeting=targeting_pb2.Targeting(country="SG"))
    found = await prepared(world, phone_column="phone")
    assert (2, 0, 4) == (found.wrong_phone_count, found.removed_phone_count, found.unique_count)
    british = await prepared(world, phone_column="phone", phone_country="GB")
    assert 3 == british.wrong_phone_count
    again = await prepared(
        world, phone_column="phone", removal=batch_pb.Removal(wrong_phone=True, duplicates=True)
    )
    assert (2, 2, 3, 2) == (
        again.wrong_phone_count,
        again.removed_phone_count,
        again.removed_count,
        again.unique_count,
    )
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    assert [0, 1, 3] == await indexes(world)
    exported = joined(await frames_of(world, columns=["input_data", "labels.phone (E.164)"]))
    assert [
        "input_data,labels.phone (E.164)",
        "ann@a.test,'+6561234567",
        "bob@a.test,'+442079460018",
        "not an address,'+6561234568",
    ] == exported.decode().splitlines()


@pytest.mark.parametrize(
    ("settings", "country"),
    [
        ({"phone_column": "phone", "phone_country": "SG"}, ""),
        ({"phone_column": "phone"}, "SG"),
        ({"phone_column": "phone", "phone_country": "SG"}, "GB"),
    ],
)
async def test_phone_numbers_are_looked_at_when_the_file_comes(
    world: World, settings: dict[str, str], country: str
) -> None:
    """As PrepareBatch looks at them later: the same counts, the same rows removed."""
    await uploaded(
        world,
        settings,
        targeting=targeting_pb2.Targeting(country=country),
        removal=batch_pb.Removal(wrong_phone=True),
    )
    found = await prepared(world)
    assert (2, 2, 2) == (found.wrong_phone_count, found.removed_phone_count, found.unique_count)
    again = await prepared(world, phone_column="phone", phone_country="SG")
    assert found.wrong_phone_count == again.wrong_phone_count
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    assert [0, 1, 3, 4] == await indexes(world)


@pytest.mark.parametrize(
    ("settings", "field", "told_of"),
    [
        ({"phone_column": "fax"}, "settings.phone_column", "name, phone"),
        ({"phone_column": "email"}, "settings.phone_column", "name, phone"),
        ({"phone_column": "phone (E.164)"}, "settings.phone_column", "kept there"),
        ({"phone_column": "phone", "phone_country": "sg"}, "settings.phone_country", "capital"),
        ({"phone_column": "phone", "phone_country": "XX"}, "settings.phone_country", "XX"),
        ({"phone_column": "phone", "phone_country": "AQ"}, "settings.phone_country", "AQ"),
        ({"phone_country": "SG"}, "settings.phone_country", "phone_column"),
    ],
)
async def test_a_file_with_a_wrong_column_or_country_of_phones_is_refused(
    world: World, settings: dict[str, str], field: str, told_of: str
) -> None:
    """With what there is; read again with another, it is taken."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await uploaded(world, settings)
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert field == violation.field
    assert told_of in violation.description
    right = file_pb.FileSettings(name="list.csv", phone_column="phone", phone_country="SG")
    added = await world.batches.AddFile(
        file_pb.AddFileRequest(batch_id="b", settings=right, data=CONTENT)
    )
    assert 6 == added.reading.rows_kept


async def test_rows_that_were_removed_are_not_in_the_file_that_comes_back(world: World) -> None:
    """The others stand as they were uploaded."""
    await uploaded(world, removal=batch_pb.Removal(duplicates=True, wrong_format=True))
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    frames = await frames_of(
        world,
        format=export_pb2.EXPORT_FORMAT_UPLOADED_FILE,
        dialect=export_pb2.EXPORT_DIALECT_USER_CLEANING,
    )
    rows = joined(frames).decode().splitlines()
    assert ["name", "ann", "bob", "cy", "eve"] == [row.split(",")[0] for row in rows]


async def test_a_key_of_the_callers_own_leads_to_the_labels_of_its_row(world: World) -> None:
    """Not to those of the first row."""
    await uploaded(world)
    await world.store.relabel_entries("default", "b", 1, ['{"name": "bob"}'])
    entries = [batch_pb.Entry(input_data="z@a.test", custom="k")]
    await world.batches.AddEntries(pb.AddEntriesRequest(batch_id="b", offset=6, entries=entries))
    await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b"))
    await work(world.store)
    request = result_service_pb2.GetResultRequest(batch_id="b", custom="k")
    found = await world.results.GetResult(request)
    assert ("z@a.test", {}) == (found.result.input_data, dict(found.labels))


@pytest.mark.parametrize(
    ("fields", "field", "told_of"),
    [
        ({"phone_column": "fax"}, "phone_column", "name, phone"),
        ({"phone_column": "phone (E.164)"}, "phone_column", "kept there"),
        ({"phone_column": "phone", "phone_country": "sg"}, "phone_country", "capital"),
        ({"phone_column": "phone", "phone_country": "XX"}, "phone_country", "XX"),
        ({"phone_column": "phone", "phone_country": "AQ"}, "phone_country", "AQ"),
        ({"phone_country": "SG"}, "phone_country", "phone_column"),
    ],
)
async def test_a_wrong_column_or_country_is_told(
    world: World, fields: dict[str, str], field: str, told_of: str
) -> None:
    """With what there is."""
    await uploaded(world)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await prepared(world, **fields)
    (violation,) = told(caught.value).details["BadRequest"].field_violations
    assert field == violation.field
    assert told_of in violation.description
