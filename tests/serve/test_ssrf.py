"""DNS that points into our own network: listeners there hear of nothing, whatever it says."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import dnslib
import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.mx import Resolver
from mailvet.mx.questions import KeepTimes
from mailvet.mx.way import ResolverLimits
from mailvet.serve import engine_room
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, result_pb2, status_pb2
from mailvet.v1 import verification_service_pb2 as pb

INSIDE = (
    "127.0.0.1",
    "127.255.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "3fff::1",
    "5f00::1",
    "ff02::1",
)
"""What `ipaddress.is_global` lets through is among them (NAT64, 6to4, IPv4-compatible)."""


def world() -> str:
    """For each address a domain by MX and one by its own address (implicit MX)."""
    zones = ['name = "inside"']
    for number, address in enumerate(INSIDE):
        kind = "aaaa" if ":" in address else "a"
        for domain in (f"mx.by{number}.test", f"own{number}.test"):
            zones += [f'[[zone]]\ndomain = "{domain}"\n{kind} = ["{address}"]']
        zones.append(f'[[zone]]\ndomain = "by{number}.test"\nmx = ["10 mx.by{number}.test"]')
    return "\n\n".join(zones)


class Canary:
    """Listens on every local address, of both kinds; notes who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: list[Any] = []
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> "Canary":
        for host in ("0.0.0.0", "::"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.socket(family)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, self.port))
            self.port = listener.getsockname()[1]
            self._servers.append(await asyncio.start_server(self._note, sock=listener))
        return self

    async def _note(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(writer.get_extra_info("peername"))
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def served(folder: Path, **settings: Any) -> AsyncIterator[Client]:
    """A service, and a client of it."""
    chosen = {
        "listen": f"unix:{folder}/socket",
        "store": str(folder / "store.db"),
        "helo": "server.mailvet.test",
        "egress_canaries": "",
        "drain_grace_s": 1,
        "dns_timeout_s": 2,
        "time_scale": 0.1,
        **settings,
    }
    async with Service(load(chosen)) as service, connect(service.address) as client:
        yield client


async def verify(client: Client, addresses: list[str]) -> list[result_pb2.Result]:
    """Verify at once."""
    entries = [batch_pb2.Entry(input_data=address) for address in addresses]
    reply: Any = await client.call(
        client.verification.VerifyEmails, pb.VerifyEmailsRequest(entries=entries)
    )
    return list(reply.results)


async def test_nothing_inside_is_dialled(tmp_path: Path) -> None:
    """By MX, by the domain's own address, by a literal: every kind of reserved address there is."""
    literals = [f"user@[{'IPv6:' if ':' in address else ''}{address}]" for address in INSIDE]
    by_name = [f"user@{kind}{n}.test" for n in range(len(INSIDE)) for kind in ("by", "own")]
    async with (
        Testbed(parse_world(world())) as bed,
        Canary() as canary,
        served(tmp_path, resolver=bed.resolver, smtp_port=canary.port) as client,
    ):
        results = await verify(client, by_name + literals)
        async for _ in client.explain_email(by_name[0]):
            pass
    named = {result.status for result in results[: len(by_name)]}

    assert [] == canary.heard
    assert {status_pb2.ENTRY_STATUS_DOMAIN_IS_MISCONFIGURED} == named
    assert status_pb2.CLASSIFICATION_DELIVERABLE not in {one.classification for one in results}


@contextmanager
def two_faced(first: str, then: str) -> Iterator[tuple[str, list[str]]]:
    """A name server that says one address now and another the next time; yields it, and what it
    said. Nothing may be kept of its answers (TTL 0)."""
    said: list[str] = []
    turns = count()
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, peer = listener.recvfrom(4096)
                listener.sendto(answer(raw), peer)

    def answer(raw: bytes) -> bytes:
        asked = dnslib.DNSRecord.parse(raw)
        reply = asked.reply()
        name = str(asked.q.qname)
        if asked.q.qtype == dnslib.QTYPE.MX and name == "rebind.test.":
            reply.add_answer(*dnslib.RR.fromZone("rebind.test. 0 IN MX 10 mx.rebind.test."))
        elif asked.q.qtype == dnslib.QTYPE.A:
            address = first if next(turns) % 2 == 0 else then
            said.append(address)
            reply.add_answer(*dnslib.RR.fromZone(f"{name} 0 IN A {address}"))
        packed: bytes = reply.pack()
        return packed

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", said
    finally:
        listener.close()


GOOD = """
name = "outside"

[[host]]
name = "mx.rebind.test"
addresses = ["127.0.86.1"]
domains = ["rebind.test"]
mailboxes = { users = 40 }
"""


@pytest.mark.parametrize("good_first", [True, False])
async def test_what_was_checked_is_what_is_dialled(
    tmp_path: Path, good_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is good when it is looked at and inside when it is looked at again."""
    nothing_kept = ResolverLimits(keep=KeepTimes(min_s=0, negative_default_s=0, failure_s=0))
    monkeypatch.setattr(engine_room, "Resolver", partial(Resolver, limits=nothing_kept))
    async with Testbed(parse_world(GOOD)) as bed:
        assert bed.smtp_port is not None
        heard: list[Any] = []

        async def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(writer.get_extra_info("peername"))
            writer.close()

        inside = await asyncio.start_server(note, "127.0.0.1", bed.smtp_port)
        faces = ("127.0.86.1", "127.0.0.1") if good_first else ("127.0.0.1", "127.0.86.1")
        with two_faced(*faces) as (resolver, said):
            async with served(
                tmp_path,
                resolver=resolver,
                smtp_port=bed.smtp_port,
                allow_network=("127.0.86.0/24",),
                ipv6=False,
            ) as client:
                for number in range(8):
                    await verify(client, [f"user{number}@rebind.test"])
        inside.close()
        await inside.wait_closed()

    assert {"127.0.86.1", "127.0.0.1"} == set(said)
    assert bed.sessions.count["mx.rebind.test"] >= 1
    assert [] == heard
