"""A whole service: its start, its keys, its drain."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from mailvet.accounts.keys import make_key
from mailvet.client import ServiceError, connect
from mailvet.config import load
from mailvet.errors import ConfigError, StoreInUse
from mailvet.serve.run import Service, open_keys
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2
from tests.acceptance.house import ServerProcess, free_port

WORLD = """
name = "serve"

[[host]]
name = "mx.serve.test"
addresses = ["127.0.79.1"]
domains = ["serve.test"]
mailboxes = { users = 5 }

[[host]]
name = "mx.slow.test"
addresses = ["127.0.79.2"]
personality = "silent"
domains = ["slow.test"]
"""


def _settings(folder: Path, **more: Any) -> Any:
    flags = {"listen": "127.0.0.1:0", "store": str(folder / "store.db"), "egress_canaries": ""}
    return load({**flags, "resolver": "127.0.0.1:9", "drain_grace_s": 1, **more})


async def test_a_second_service_on_one_store_is_refused(tmp_path: Path) -> None:
    """One process owns a store; the second one says which file, and what to do."""
    async with Service(_settings(tmp_path)):
        with pytest.raises(StoreInUse, match=r"store\.db.*another process"):
            async with Service(_settings(tmp_path)):
                pass


async def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    """A second server on a port is an error that names the setting, not a silent share."""
    port = free_port()
    async with Service(_settings(tmp_path, listen=f"127.0.0.1:{port}")):
        other = _settings(tmp_path, listen=f"127.0.0.1:{port}", store=":memory:")
        with pytest.raises(ConfigError, match="set another `listen`"):
            async with Service(other):
                pass


async def test_keys_open_the_door_also_when_made_while_the_server_runs(tmp_path: Path) -> None:
    """A key made beside a running server works at once; a wrong one and none do not."""
    settings = _settings(tmp_path, require_keys=True)
    async with Service(settings) as service:
        ring = await open_keys(settings)
        secret, kept = make_key("shop", "test", pepper=ring.secret, wall_clock=lambda: 1.0)
        await ring.add_key(kept)
        request = batch_service_pb2.ListBatchesRequest()
        async with connect(service.address, key=secret) as client:
            await client.call(client.batches.ListBatches, request)
        for wrong in (None, "mv_wrong", secret[:-1] + ("a" if secret[-1] != "a" else "b")):
            async with connect(service.address, key=wrong) as client:
                with pytest.raises(ServiceError) as caught:
                    await client.call(client.batches.ListBatches, request)
                assert grpc.StatusCode.UNAUTHENTICATED == caught.value.code
                assert "UNAUTHENTICATED" == caught.value.reason
        assert await ring.revoke_key(kept.key_id)
        assert ["shop"] == [key.tenant for key in await ring.list_keys()]
        await ring.close()


@pytest.mark.parametrize("own", [False, True])
async def test_tls_is_served(own: bool, tmp_path: Path) -> None:
    """A client with the right root certificate gets in over TLS; with its own credentials too."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    (tmp_path / "cert.pem").write_bytes(
        b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    )
    (tmp_path / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    (tmp_path / "key.pem").chmod(0o600)
    settings = _settings(
        tmp_path,
        listen="localhost:0",
        tls_cert=str(tmp_path / "cert.pem"),
        tls_key=str(tmp_path / "key.pem"),
    )
    roots = authority.cert_pem.bytes()
    how: dict[str, Any] = {"root_certificates": roots}
    if own:
        how = {"tls": grpc.ssl_channel_credentials(roots)}
    async with Service(settings) as service, connect(service.address, **how) as client:
        await client.call(client.batches.ListBatches, batch_service_pb2.ListBatchesRequest())


async def test_sigterm_ends_streams_with_their_cursor_and_leaves_with_zero(tmp_path: Path) -> None:
    """A drain tells every stream where to go on, and a restart goes on with the batch."""
    async with Testbed(parse_world(WORLD)) as bed:
        server = ServerProcess(bed, tmp_path, drain_grace_s="5", time_scale="0.2")
        await server.start()
        try:
            async with server.client() as client:
                create = batch_service_pb2.CreateBatchRequest(
                    batch_id="drained",
                    launch=True,
                    entries=[
                        batch_pb2.Entry(input_data="user1@serve.test"),
                        batch_pb2.Entry(input_data="user1@slow.test"),
                    ],
                )
                await client.create_batch(create)
                request = result_service_pb2.StreamResultsRequest(batch_id="drained")
                call = client.results.StreamResults(request)
                first: Any = await call.read()
                while not first.results:  # caught up, for now
                    first = await call.read()
                assert ["user1@serve.test"] == [result.input_data for result in first.results]
                stopping = asyncio.ensure_future(server.stop())
                last = await _last_frame(call, first)
                assert grpc.StatusCode.UNAVAILABLE == await call.code()
                assert last.HasField("going_away")
                assert last.cursor
            assert 0 == await stopping
            await server.start()
            async with server.client() as client:
                request.cursor = last.cursor
                rest = [
                    result.input_data
                    async for frame in client.stream_results(request)
                    for result in frame.results
                ]
            assert ["user1@slow.test"] == rest
        finally:
            await server.kill()


async def _last_frame(call: Any, last: Any) -> Any:
    while True:
        try:
            frame = await call.read()
        except grpc.aio.AioRpcError:
            return last
        if frame == grpc.aio.EOF:  # type: ignore[attr-defined]
            return last
        last = frame
