"""TLS as clients meet it: versions, certificates of theirs, and ours renewed while it serves."""

import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.rpc.server import build_server
from mailvet.serve.listening import server_options
from mailvet.serve.live_tls import LiveCertificate
from mailvet.store.memory import MemoryStore
from mailvet.v1 import account_service_pb2, batch_service_pb2
from mailvet.v1.account_service_pb2_grpc import AccountServiceStub
from mailvet.v1.batch_service_pb2_grpc import BatchServiceStub
from tests.rpc.world import Oracle, told

Pair = tuple[bytes, bytes]
"""A private key and the certificates that go with it, in PEM."""


def issued(authority: trustme.CA, *names: str, **more: Any) -> Pair:
    """A certificate of an authority."""
    made = authority.issue_cert(*names, **more)
    chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
    return made.private_key_pem.bytes(), chain


def named_by_uri(uri: str) -> tuple[Pair, bytes]:
    """A certificate with a URI for a name, and the authority that signed it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "service")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    raw = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = certificate.public_bytes(serialization.Encoding.PEM)
    return (raw, chain), chain


@pytest.fixture(name="authority")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="files")
def _files(tmp_path: Path, authority: trustme.CA) -> dict[str, str]:
    """The server's certificate in files, as settings."""
    write(tmp_path, issued(authority, "localhost", "127.0.0.1"))
    return {"tls_cert": str(tmp_path / "cert.pem"), "tls_key": str(tmp_path / "key.pem")}


def write(folder: Path, pair: Pair) -> None:
    """Put a pair in the place of the one that is there, as a renewal does."""
    for name, raw in (("key", pair[0]), ("cert", pair[1])):
        new = folder / f"{name}.new"
        new.write_bytes(raw)
        new.chmod(0o600)
        new.replace(folder / f"{name}.pem")


@asynccontextmanager
async def serving(**flags: Any) -> AsyncIterator[int]:
    """A server with these settings on loopback that asks for credentials; yields its port."""
    options = server_options(load({"listen": "127.0.0.1:0", "require_keys": True} | flags))
    server = build_server(MemoryStore(), Oracle(), options)
    await server.start()
    yield server.port
    await server.stop(0)


async def tried(port: int, authority: trustme.CA, client: Pair | None = None) -> str:
    """What ListBatches says to a client: OK, or a code with the reason."""
    roots = authority.cert_pem.bytes()
    credentials = grpc.ssl_channel_credentials(roots, *(client or ()))
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials, options) as channel:
        try:
            await BatchServiceStub(channel).ListBatches(
                batch_service_pb2.ListBatchesRequest(), timeout=10
            )
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            return f"{code} {told(error).info.reason}" if code != "UNAVAILABLE" else code
    return "OK"


def handshake(port: int, authority: trustme.CA, adjust: Callable[[ssl.SSLContext], None]) -> Any:
    """Shake hands; returns the version and the certificate of the server, or raises."""
    import socket

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    adjust(context)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        certificate = connection.getpeercert()
        assert certificate is not None
        return connection.version(), certificate["serialNumber"]


async def test_old_versions_of_tls_are_refused(
    files: dict[str, str], authority: trustme.CA
) -> None:
    """1.2 and 1.3 are spoken, 1.1 is not."""
    import asyncio

    def only(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
        def adjust(context: ssl.SSLContext) -> None:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version

        return adjust

    async with serving(**files) as port:
        for version, spoken in (
            (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ):
            told_version, _ = await asyncio.to_thread(handshake, port, authority, only(version))
            assert spoken == told_version
        with (
            pytest.warns(DeprecationWarning, match="TLSv1_1"),
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            await asyncio.to_thread(handshake, port, authority, only(ssl.TLSVersion.TLSv1_1))


async def test_plain_text_gets_nowhere(files: dict[str, str], authority: trustme.CA) -> None:
    """A client without TLS is not answered; one with it is asked who it is."""
    async with serving(**files) as port:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await BatchServiceStub(channel).ListBatches(
                    batch_service_pb2.ListBatchesRequest(), timeout=5
                )
            assert grpc.StatusCode.UNAVAILABLE is caught.value.code()
        assert "UNAUTHENTICATED UNAUTHENTICATED" == await tried(port, authority)


async def test_a_renewed_certificate_is_used_at_once(
    files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """Connections that are there go on; a pair that does not go together changes nothing."""
    import asyncio

    def leave(_context: ssl.SSLContext) -> None:
        """Nothing is adjusted."""

    async def serial(port: int) -> Any:
        return (await asyncio.to_thread(handshake, port, authority, leave))[1]

    async with serving(**files) as port:
        first = await serial(port)
        write(tmp_path, issued(authority, "localhost", "127.0.0.1"))
        second = await serial(port)
        assert first != second
        # The key of the next pair is there, its certificate is not yet.
        key, chain = issued(authority, "localhost", "127.0.0.1")
        good = (tmp_path / "cert.pem").read_bytes()
        write(tmp_path, (key, good))
        assert second == await serial(port)
        os.truncate(tmp_path / "key.pem", 10)
        assert second == await serial(port)
        write(tmp_path, (key, chain))
        assert await serial(port) not in (first, second)


def mapped(tmp_path: Path, authority: bytes, *rows: str) -> dict[str, Any]:
    """The settings for clients' certificates of an authority, as in the TOML file."""
    ca = tmp_path / "clients.pem"
    ca.write_bytes(authority)
    tables = []
    for row in rows:
        name, tenant, scopes = f"{row} ".split(" ")[:3]
        listed = tuple(filter(None, scopes.split(",")))
        tables.append({"name": name, "tenant": tenant, "scopes": listed})
    return {"tls_client_ca": str(ca), "client_certificate": tables}


async def test_a_certificate_lets_its_tenant_in(
    files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """With its name on the list; other names, other authorities, old ones and none do not."""
    clients = trustme.CA()
    settings = mapped(tmp_path, clients.cert_pem.bytes(), "shop.example.org shop")
    long_ago = datetime.now(UTC) - timedelta(days=9)
    async with serving(**files, **settings) as port:
        assert "OK" == await tried(port, authority, issued(clients, "shop.example.org"))
        other = await tried(port, authority, issued(clients, "other.example.org"))
        assert "UNAUTHENTICATED UNAUTHENTICATED" == other
        for client in (
            None,
            issued(trustme.CA(), "shop.example.org"),
            issued(clients, "shop.example.org", not_after=long_ago),
        ):
            assert "UNAVAILABLE" == await tried(port, authority, client)


async def test_a_certificate_has_its_tenant_and_scopes(
    files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """By a URI as service meshes write it; what is not on its list is closed."""
    uri = "spiffe://example.org/ns/shop"
    client, own_authority = named_by_uri(uri)
    settings = mapped(tmp_path, own_authority, f"{uri} shop ACCOUNT_READ,BATCHES_READ")
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes(), *client)
    async with (
        serving(**files, **settings) as port,
        grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel,
    ):
        accounts = AccountServiceStub(channel)
        await accounts.GetRules(account_service_pb2.GetRulesRequest(), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await accounts.UpdateRules(account_service_pb2.UpdateRulesRequest(), timeout=10)
    assert "ACCOUNT_WRITE" == told(caught.value).info.metadata["scope"]


def test_a_pair_that_would_not_serve_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    """At the start, with the names of the files."""
    write(tmp_path, (issued(authority, "a.example")[0], issued(authority, "b.example")[1]))
    with pytest.raises(ConfigError, match=r"cert\.pem and .*key\.pem do not go together"):
        LiveCertificate(tmp_path / "cert.pem", tmp_path / "key.pem", None)
