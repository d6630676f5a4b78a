"""BatchService over the wire: pause, resume, update, etags."""

from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from mailvet.v1 import batch_pb2 as batch_pb
from mailvet.v1 import batch_service_pb2 as pb
from tests.batches.engine import work
from tests.rpc.world import World, told


async def update(world: World, paths: list[str] | None = None, **fields: Any) -> batch_pb.Batch:
    """Update batch "b" and return it."""
    request = pb.UpdateBatchRequest(
        batch=batch_pb.Batch(batch_id="b", **fields), update_mask=FieldMask(paths=paths)
    )
    batch: batch_pb.Batch = (await world.batches.UpdateBatch(request)).batch
    return batch


async def test_a_batch_is_paused_and_resumed(world: World) -> None:
    """Paused it gets no results, resumed it completes."""
    await world.create("b", 5, launch=True)
    paused = (await world.batches.PauseBatch(pb.PauseBatchRequest(batch_id="b"))).batch
    await work(world.store)
    idle = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch
    resumed = (await world.batches.ResumeBatch(pb.ResumeBatchRequest(batch_id="b"))).batch
    await work(world.store)
    done = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch

    assert (batch_pb.BATCH_STATE_PAUSED, 0) == (paused.state, idle.progress.result_count)
    assert batch_pb.BATCH_STATE_RUNNING == resumed.state
    assert (batch_pb.BATCH_STATE_COMPLETED, 5) == (done.state, done.progress.result_count)


async def test_only_the_fields_of_the_mask_are_changed(world: World) -> None:
    """What the message has beside them is passed over; a field of the mask may be emptied."""
    await world.create("b", name="old", description="old", labels={"a": "b"})
    changed = await update(world, ["name", "labels"], name="new", description="new", priority=9)

    assert ("new", "old", {}, 127) == (
        changed.name,
        changed.description,
        dict(changed.labels),
        changed.priority,
    )


async def test_without_a_mask_what_is_set_is_changed(world: World) -> None:
    """As AIP-134 asks; `*` is everything that can be changed."""
    await world.create("b", name="old", description="old")
    first = await update(world, description="new", priority=200)
    second = await update(world, ["*"], name="all")

    assert ("old", "new", 200) == (first.name, first.description, first.priority)
    assert ("all", "", 0) == (second.name, second.description, second.priority)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.UpdateBatchRequest(), "batch.batch_id"),
        (pb.UpdateBatchRequest(batch=batch_pb.Batch(batch_id="b")), "update_mask"),
        (
            pb.UpdateBatchRequest(
                batch=batch_pb.Batch(batch_id="b"), update_mask=FieldMask(paths=["name", "state"])
            ),
            "update_mask.paths[1]",
        ),
        (
            pb.UpdateBatchRequest(batch=batch_pb.Batch(batch_id="b", priority=256)),
            "batch.priority",
        ),
        (
            pb.UpdateBatchRequest(batch=batch_pb.Batch(batch_id="b", name="x" * 201)),
            "batch.name",
        ),
    ],
)
async def test_a_wrong_update_names_the_field(
    world: World, request_: pb.UpdateBatchRequest, field: str
) -> None:
    """And the batch stays as it is."""
    before = await world.create("b", 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.UpdateBatch(request_)
    after = (await world.batches.GetBatch(pb.GetBatchRequest(batch_id="b"))).batch

    violations = told(caught.value).details["BadRequest"].field_violations
    assert field in [violation.field for violation in violations]
    assert before.etag == after.etag


async def test_an_old_etag_is_refused_and_the_new_one_told(world: World) -> None:
    """Who has not seen the change before the last does not overwrite it."""
    old = await world.create("b", 1)
    new = await update(world, name="x", etag=old.etag)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.LaunchBatch(pb.LaunchBatchRequest(batch_id="b", etag=old.etag))
    failure = told(caught.value)

    assert ("ABORTED", "ETAG_MISMATCH", new.etag) == (
        failure.code,
        failure.info.reason,
        failure.info.metadata["etag"],
    )
