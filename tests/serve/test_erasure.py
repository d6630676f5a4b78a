"""A thousand addresses that went every way through a service, and what is left once deleted."""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, callback_pb2, export_pb2, result_service_pb2
from mailvet.v1 import upload_file_pb2 as file_pb

COUNT = 1_000
CANARY = re.compile(rb"canary-?[0-9]{4}|can\xc3\xa4ry", re.IGNORECASE)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WORLD = """
name = "erasure"

[[host]]
name = "mx.plain.test"
addresses = ["127.0.95.1"]
domains = ["plain.test"]
mailboxes = { users = 60 }
"""


def left_in(folder: Path) -> dict[str, int]:
    """How many canaries each file has."""
    found = {
        path.name: len(CANARY.findall(path.read_bytes()))
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: count for name, count in found.items() if count}


async def call(client: Client, method: Any, request: Any) -> Any:
    """One call."""
    return await client.call(method, request)


async def fill(client: Client, batch_id: str, *, upload: bool) -> None:
    """A batch of canaries: addresses, labels, keys, its own name and where it is told to."""
    batches = client.batches
    request = batch_service_pb2.CreateBatchRequest(
        batch_id=batch_id,
        name="canary 0000",
        description="canary-0001",
        labels={"canary0002": "canary0003"},
        callback=callback_pb2.Callback(url="https://127.0.0.9/canary-0004", secrets=[SECRET]),
    )
    request.max_age.FromSeconds(60)
    request.max_shared_age.FromSeconds(60)
    await client.create_batch(request)
    if upload:
        rows = (f"canary{n:04}@plain.test,canary-{n:04},12" for n in range(COUNT))
        data = "\n".join(["email,note,phone", *rows]).encode()
        settings = file_pb.FileSettings(name="canary-0005.csv")
        await call(
            client,
            batches.AddFile,
            file_pb.AddFileRequest(batch_id=batch_id, settings=settings, data=data),
        )
        asked = batch_service_pb2.PrepareBatchRequest(batch_id=batch_id, phone_column="phone")
        await call(client, batches.PrepareBatch, asked)
    else:
        entries = [
            batch_pb2.Entry(input_data=f"canary{n:04}@plain.test", custom=f"canary-{n:04}")
            for n in range(COUNT)
        ]
        added = batch_service_pb2.AddEntriesRequest(batch_id=batch_id, entries=entries)
        await call(client, batches.AddEntries, added)


async def verified(client: Client, batch_id: str) -> None:
    """Verify it to its end, and export it in three ways."""
    launch = batch_service_pb2.LaunchBatchRequest(batch_id=batch_id)
    await call(client, client.batches.LaunchBatch, launch)
    asked = result_service_pb2.StreamResultsRequest(batch_id=batch_id)
    results = [one async for frame in client.stream_results(asked) for one in frame.results]
    assert COUNT == len(results)
    for form in (
        export_pb2.EXPORT_FORMAT_CSV,
        export_pb2.EXPORT_FORMAT_XLSX,
        export_pb2.EXPORT_FORMAT_UPLOADED_FILE,
    ):
        if form == export_pb2.EXPORT_FORMAT_UPLOADED_FILE and batch_id != "file":
            continue
        exporting = result_service_pb2.ExportResultsRequest(batch_id=batch_id, format=form)
        async for frame in client.results.ExportResults(exporting):
            last = frame.done
        assert last


@pytest.mark.parametrize("batch_id", ["file", "entries"])
async def test_nothing_is_left_of_a_thousand_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_id: str
) -> None:
    """In no file of the store, of uploads, of exports or of what was to be called back."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "session_recipients": 500,
            "drain_grace_s": 1,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            await fill(client, batch_id, upload=batch_id == "file")
            await verified(client, batch_id)
            before = left_in(tmp_path)
            delete = batch_service_pb2.DeleteBatchRequest(batch_id=batch_id, forget_answers=True)
            answer = await call(client, client.batches.DeleteBatch, delete)
            after = left_in(tmp_path)
    assert COUNT == answer.deleted_entry_count
    assert sum(before.values()) >= COUNT
    assert {} == after == left_in(tmp_path)
