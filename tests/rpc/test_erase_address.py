"""EraseAddress over the wire: whatever was handed out before is not handed out again."""

from collections.abc import Sequence

import grpc
import pytest

from mailvet.store.base import Store
from mailvet.v1 import account_service_pb2 as account_pb
from mailvet.v1 import batch_pb2, erasure_pb2, export_pb2, result_pb2, result_service_pb2, rules_pb2
from mailvet.v1 import batch_service_pb2 as batch_service_pb
from tests.batches.engine import work
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told

GONE = "gone@example.org"


async def export(world: World) -> bytes:
    """A batch's results as a file."""
    request = result_service_pb2.ExportResultsRequest(
        batch_id="b", format=export_pb2.EXPORT_FORMAT_CSV
    )
    frames = await world.call("ResultService/ExportResults", request)
    return b"".join(frame.data for frame in frames)  # type: ignore[attr-defined]


async def everything(world: World) -> str:
    """All that a caller is told of a batch."""
    told_of: list[object] = []
    for method, request in (
        ("BatchService/GetBatch", batch_service_pb.GetBatchRequest(batch_id="b")),
        (
            "ResultService/ListResults",
            result_service_pb2.ListResultsRequest(
                batch_id="b", view=result_pb2.RESULT_VIEW_EVIDENCE
            ),
        ),
        ("ResultService/StreamResults", result_service_pb2.StreamResultsRequest(batch_id="b")),
        ("ResultService/GetResult", result_service_pb2.GetResultRequest(batch_id="b", index=1)),
    ):
        told_of += await world.call(method, request)
    return f"{told_of} {(await export(world)).decode()}"


async def test_nobody_is_given_it_any_more(open_world: OpenWorld, store: Store) -> None:
    """In no answer, and in no file that was made before; engines forget it; rules are counted."""
    forgotten: list[tuple[str, list[str]]] = []

    def forget(tenant: str, texts: Sequence[str]) -> None:
        forgotten.append((tenant, list(texts)))

    world = await open_world(forget=forget)
    entries = [
        batch_pb2.Entry(input_data=text, custom=text)
        for text in ("ann@example.org", GONE, "bob@example.org")
    ]
    await world.batches.CreateBatch(
        batch_service_pb.CreateBatchRequest(batch_id="b", name=GONE, entries=entries, launch=True)
    )
    await work(store)
    rule = rules_pb2.OverrideRule(pattern=GONE, classification=3)  # type: ignore[arg-type]
    await world.accounts.UpdateRules(
        account_pb.UpdateRulesRequest(rules=rules_pb2.Rules(overrides=[rule]))
    )
    before = await everything(world)
    assert GONE in before
    reply = await world.accounts.EraseAddress(erasure_pb2.EraseAddressRequest(address=GONE))
    after = await everything(world)

    assert GONE not in after
    assert "[erased]" in after
    assert before.count("ann@example.org") == after.count("ann@example.org")
    assert (1, 1, 1, 0, 1) == (
        reply.batch_count,
        reply.entry_count,
        reply.result_count,
        reply.file_count,
        reply.rule_count,
    )
    assert [("default", [GONE])] == forgotten


async def test_what_is_no_address_is_refused_without_its_text(world: World) -> None:
    """It may be one that was written wrongly."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.accounts.EraseAddress(
            erasure_pb2.EraseAddressRequest(address="secret@@example.org")
        )
    found = told(caught.value)
    assert ("INVALID_ARGUMENT", "INVALID_REQUEST") == (found.code, found.info.reason)
    assert "secret" not in found.message
