"""The end of a batch told through a whole service: name server, mail hosts, a real HTTP server."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from mailvet.callbacks.signature import sign
from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, callback_pb2
from tests.callbacks.receiver import listening

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HOST = "127.0.94.1"
WORLD = f"""
name = "callbacks"

[[host]]
name = "mx.plain.test"
addresses = ["{HOST}"]
domains = ["plain.test"]
mailboxes = {{ users = 60 }}
"""


@pytest.fixture(name="bed")
async def _bed() -> AsyncIterator[Testbed]:
    async with Testbed(parse_world(WORLD)) as bed:
        yield bed


def settings(bed: Testbed, tmp_path: Path, **more: Any) -> dict[str, Any]:
    """Settings of a service that may call this machine."""
    return {
        "listen": f"unix:{tmp_path}/socket",
        "store": str(tmp_path / "store.db"),
        "resolver": bed.resolver,
        "smtp_port": bed.smtp_port,
        "allow_network": bed.allow_networks,
        "helo": "server.mailvet.test",
        "egress_canaries": "",
        "drain_grace_s": 1,
        "callback_allow_network": "127.0.0.0/8",
    } | more


async def batch_of(client: Client, batch_id: str) -> batch_pb2.Batch:
    """Return a batch."""
    request = batch_service_pb2.GetBatchRequest(batch_id=batch_id)
    answer: Any = await client.call(client.batches.GetBatch, request)
    batch: batch_pb2.Batch = answer.batch
    return batch


async def told_of(client: Client, url: str, batch_id: str = "b1") -> batch_pb2.Batch:
    """Verify a batch whose end is told to a URL; return it once it was called."""
    request = batch_service_pb2.CreateBatchRequest(
        batch_id=batch_id,
        entries=[batch_pb2.Entry(input_data="user1@plain.test")],
        callback=callback_pb2.Callback(url=url, secrets=[SECRET]),
        launch=True,
    )
    await client.create_batch(request)
    while True:
        batch = await batch_of(client, batch_id)
        if batch.callback.attempt_count:
            return batch
        await asyncio.sleep(0.05)


async def test_the_end_of_a_batch_is_told_over_tls(bed: Testbed, tmp_path: Path) -> None:
    """To the address that DNS gives, if its certificate is of an authority that is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mx.plain.test").configure_cert(tls)
    async with listening(tls, HOST) as receiver:
        more = {"callback_ca": str(tmp_path / "ca.pem"), "callback_ports": str(receiver.port)}
        async with (
            Service(load(settings(bed, tmp_path, **more))) as service,
            connect(service.address) as client,
        ):
            batch = await told_of(client, f"https://mx.plain.test:{receiver.port}/in")
    (heard,) = receiver.heard
    signed = heard.headers
    assert (True, "204") == (batch.callback.delivered, batch.callback.last_outcome)
    assert ("batch.completed", {"DELIVERABLE": 1}) == (
        json.loads(heard.body)["type"],
        json.loads(heard.body)["data"]["classifications"],
    )
    assert signed["webhook-signature"] == sign(
        [SECRET], signed["webhook-id"], int(signed["webhook-timestamp"]), heard.body
    )


@pytest.mark.parametrize("host", ["mx.plain.test", HOST, "[::ffff:127.0.94.1]", "nobody.test"])
async def test_a_reserved_address_is_never_called(bed: Testbed, tmp_path: Path, host: str) -> None:
    """However it is written, and whatever DNS says."""
    async with listening(None, HOST) as receiver:
        more = {"callback_http": True, "callback_allow_network": "192.0.2.0/24"}
        async with (
            Service(load(settings(bed, tmp_path, **more))) as service,
            connect(service.address) as client,
        ):
            batch = await told_of(client, f"http://{host}:{receiver.port}/in")
    assert (0, False) == (receiver.connections, batch.callback.delivered)
    assert "no address that may be called" in batch.callback.last_outcome
    assert batch.callback.HasField("next_attempt_time")


async def test_what_was_not_told_is_told_after_a_restart(bed: Testbed, tmp_path: Path) -> None:
    """At once when its callback is set again; the secret was kept."""
    async with listening(None, HOST) as receiver:
        url = f"http://mx.plain.test:{receiver.port}/in"
        closed = settings(bed, tmp_path, callback_http=True, callback_allow_network="192.0.2.0/24")
        async with Service(load(closed)) as service, connect(service.address) as client:
            batch = await told_of(client, url)
            assert not batch.callback.delivered
        opened = settings(bed, tmp_path, callback_http=True)
        async with Service(load(opened)) as service, connect(service.address) as client:
            update = batch_service_pb2.UpdateBatchRequest(
                batch=batch_pb2.Batch(batch_id="b1", callback=callback_pb2.Callback(url=url))
            )
            await client.call(client.batches.UpdateBatch, update)
            while not (await batch_of(client, "b1")).callback.delivered:
                await asyncio.sleep(0.05)
    assert 1 == len(receiver.heard)
