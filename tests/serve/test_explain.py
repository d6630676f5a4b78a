"""ExplainEmail through a whole service, in front of real mail hosts on loopback."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import batch_pb2, batch_service_pb2, explain_pb2, status_pb2

WORLD = """
name = "explain"

[[host]]
name = "mx.plain.test"
addresses = ["127.0.81.1"]
domains = ["plain.test"]
mailboxes = { users = 60 }

[[host]]
name = "mx.slow.test"
addresses = ["127.0.81.2"]
personality = "tarpit"
options = { delay_s = 0.01, interval_s = 0 }
domains = ["slow.test"]
mailboxes = { users = 60 }

[[host]]
name = "mx.mute.test"
addresses = ["127.0.81.3"]
personality = "silent"
domains = ["mute.test"]
"""


@asynccontextmanager
async def _opened(folder: Path, **more: Any) -> AsyncIterator[tuple[Testbed, Client]]:
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{folder}/socket",
            "store": ":memory:",
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
        }
        async with (
            Service(load(settings | more)) as service,
            connect(service.address) as client,
        ):
            yield bed, client


async def _explained(client: Client, address: str) -> list[Any]:
    return [frame async for frame in client.explain_email(address)]


async def test_every_step_of_a_mailbox_is_told_in_order(tmp_path: Path) -> None:
    """Syntax, DNS, the dialogue, the catch-all, findings, points, and the answer at last."""
    async with _opened(tmp_path) as (_, client):
        frames = await _explained(client, "user1@plain.test")
    kinds = list(dict.fromkeys(frame.WhichOneof("step") for frame in frames))
    lines = [frame.smtp_line for frame in frames if frame.HasField("smtp_line")]
    result = frames[-1].result

    order = ["parse", "list_hit", "dns", "smtp_line", "catch_all", "finding", "risk_point"]
    assert [kind for kind in [*order, "result"] if kind in kinds] == kinds
    assert {"parse", "dns", "smtp_line", "catch_all", "finding", "result"} <= set(kinds)
    assert explain_pb2.LINE_DIRECTION_NOTE == lines[0].direction
    assert "connecting to mx.plain.test [127.0.81.1]" in lines[0].text
    assert "RCPT TO:<user1@plain.test>" in [line.text for line in lines]
    assert result.evidence.findings
    assert 1 == sum(frame.HasField("result") for frame in frames)


async def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    """The second explanation says that DNS and the catch-all were known, and asks for one only."""
    async with _opened(tmp_path) as (_, client):
        await _explained(client, "user1@plain.test")
        frames = await _explained(client, "user2@plain.test")
    (dns,) = [frame.dns for frame in frames if frame.HasField("dns")]
    asked = [frame.smtp_line.text for frame in frames if "RCPT TO" in frame.smtp_line.text]
    (known,) = [frame.catch_all for frame in frames if frame.HasField("catch_all")]

    assert dns.from_cache
    assert ["RCPT TO:<user2@plain.test>"] == asked
    assert status_pb2.FACT_NO == known.is_catch_all
    assert known.age.ToNanoseconds() > 0


async def test_bad_syntax_ends_it_at_once(tmp_path: Path) -> None:
    """Nothing is asked of DNS about what is no address."""
    async with _opened(tmp_path) as (bed, client):
        frames = await _explained(client, "ann..b@plain.test")
        assert 0 == sum(bed.queries.values())

    assert 4 == frames[0].parse.syntax_failure_index
    assert frames[0].parse.status == frames[-1].result.status


async def test_nobody_elses_address_is_in_the_session(tmp_path: Path) -> None:
    """While a batch is at the same host, the explained address is asked about alone."""
    async with _opened(tmp_path, route_sessions=1) as (bed, client):
        batch = await client.create_batch(
            batch_service_pb2.CreateBatchRequest(
                entries=[batch_pb2.Entry(input_data=f"user{n}@slow.test") for n in range(60)],
                launch=True,
            )
        )
        async for progress in client.watch(batch.batch_id):
            if bed.sessions.count["mx.slow.test"] or progress.done:
                break
        frames = await _explained(client, "someone@slow.test")
        wait = batch_service_pb2.GetBatchRequest(batch_id=batch.batch_id)
        wait.wait.FromSeconds(30)
        ended = (await client.call(client.batches.GetBatch, wait)).batch
        sessions = [session.commands for session in bed.sessions.of("mx.slow.test")]
    asked = b"RCPT TO:<someone@slow.test>"
    (alone,) = [commands for commands in sessions if asked in commands]
    said = "\n".join(frame.smtp_line.text for frame in frames)

    assert not [command for command in alone if b"<user" in command]
    assert "RCPT TO:<someone@slow.test>" in said
    assert "<user" not in said
    assert batch_pb2.BATCH_STATE_COMPLETED == ended.state


async def test_who_hangs_up_ends_the_session(tmp_path: Path) -> None:
    """The host sees the connection close; it would have been held for minutes."""
    async with _opened(tmp_path) as (bed, client):
        steps = client.explain_email("ann@mute.test")
        async for frame in steps:
            if frame.HasField("smtp_line"):
                break
        await steps.aclose()
        async with asyncio.timeout(10):
            while bed.sessions.open["mx.mute.test"] or not bed.sessions.count["mx.mute.test"]:
                await asyncio.sleep(0)


async def test_the_deadline_brings_an_answer(tmp_path: Path) -> None:
    """When the time is over, what is known is the answer: UNKNOWN, and never the caller's error."""
    async with _opened(tmp_path) as (bed, client):
        frames = [one async for one in client.explain_email("ann@mute.test", timeout_s=1.0)]
        async with asyncio.timeout(10):
            while bed.sessions.open["mx.mute.test"]:
                await asyncio.sleep(0)

    assert status_pb2.CLASSIFICATION_UNKNOWN == frames[-1].result.classification


@pytest.mark.parametrize("embedded", [True, False], ids=["embedded", "target"])
async def test_probe_prints_the_same_steps(embedded: bool, tmp_path: Path) -> None:
    """`mailvet probe` shows them, by a server of its own or by the one it is told."""
    async with _opened(tmp_path) as (bed, _):
        network = ["--resolver", bed.resolver, "--smtp-port", str(bed.smtp_port)]
        network += ["--allow-network", "127.0.0.0/8"]
        server = network if embedded else ["--target", f"unix:{tmp_path}/socket"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailvet", "probe", "user3@plain.test", *server),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
    steps = list(dict.fromkeys(line.split()[0] for line in out.decode().splitlines()))

    assert 0 == process.returncode
    assert ["syntax", "dns", "smtp", "catchall", "finding"] == [
        step for step in steps if step not in ("list", "risk", "verdict", "meant")
    ]
    assert "verdict" == steps[-1]
