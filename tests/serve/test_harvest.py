"""Guessed names, and domains that do not want to be probed, in front of real hosts on loopback."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    catalog_service_pb2,
    result_pb2,
    result_service_pb2,
    status_pb2,
    usage_pb2,
)

WORLD = """
name = "harvest"

[[host]]
name = "mx.guarded.test"
addresses = ["127.0.84.1"]
domains = ["guarded.test", "other.test", "below.shy.test"]
mailboxes = { users = 30 }

[[host]]
name = "mx.shy.net.test"
addresses = ["127.0.84.2"]
domains = ["hosted.test"]
mailboxes = { users = 30 }
"""
LIMIT = 60


@asynccontextmanager
async def opened(folder: Path, **more: Any) -> AsyncIterator[tuple[Testbed, Client]]:
    """A service with a low limit."""
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{folder}/socket",
            "store": str(folder / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
            "unknown_user_limit": LIMIT,
            **more,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            yield bed, client


async def verified(client: Client, addresses: list[str]) -> list[result_pb2.Result]:
    """The results of a batch."""
    entries = [batch_pb2.Entry(input_data=address) for address in addresses]
    request = batch_service_pb2.CreateBatchRequest(entries=entries, launch=True)
    batch = await client.create_batch(request)
    asked = result_service_pb2.StreamResultsRequest(
        batch_id=batch.batch_id, view=result_pb2.RESULT_VIEW_FULL
    )
    return [result async for frame in client.stream_results(asked) for result in frame.results]


def statuses(results: list[result_pb2.Result]) -> Counter[str]:
    """How often each status came."""
    return Counter(
        status_pb2.EntryStatus.Name(result.status).removeprefix("ENTRY_STATUS_")
        for result in results
    )


def asked_for(bed: Testbed, domain: str) -> set[bytes]:
    """The mailboxes that hosts were asked for, made-up ones (they begin with a v) left out."""
    return {
        command.lower()
        for session in bed.sessions.all
        for command in session.commands
        if command.upper().startswith(b"RCPT TO:<GUESS") and domain.encode() in command
    }


async def test_a_dictionary_is_stopped(tmp_path: Path) -> None:
    """A thousand guesses at a domain: no more than the limit are asked, the rest is UNKNOWN, free,
    and said in the log; other domains of the same host are answered as ever."""
    with capture_logs() as logs:
        async with opened(tmp_path) as (bed, client):
            results = await verified(client, [f"guess{n}@guarded.test" for n in range(1_000)])
            others = await verified(client, [f"user{n}@other.test" for n in range(5)])
            usage = await client.call(
                client.accounts.ListDailyUsage, usage_pb2.ListDailyUsageRequest()
            )
    found = statuses(results)

    assert len(asked_for(bed, "guarded.test")) <= LIMIT
    assert {"MAILBOX_DOES_NOT_EXIST", "UNKNOWN_USER_LIMIT"} == set(found)
    assert 1_000 == found.total()
    assert found["MAILBOX_DOES_NOT_EXIST"] <= LIMIT
    assert {"SUCCESS": 5} == statuses(others)
    closed = [result for result in results if "Not asked" in result.explanation]
    assert found["UNKNOWN_USER_LIMIT"] == len(closed)
    assert {status_pb2.CLASSIFICATION_UNKNOWN} == {one.classification for one in closed}
    (day,) = usage.days
    assert (found["UNKNOWN_USER_LIMIT"], found["MAILBOX_DOES_NOT_EXIST"] + 5.0) == (
        day.free_count,
        day.units,
    )
    (line,) = [line for line in logs if line["event"] == "harvest.closed"]
    assert ("default", "guarded.test") == (line["tenant"], line["domain"])


@pytest.mark.parametrize("named", ["shy.test", "net.test"])
async def test_a_domain_that_opted_out_is_not_probed(named: str, tmp_path: Path) -> None:
    """Named itself, by a name above it or by its exchanger's: DNS is asked, no host is."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "optout.txt").write_text(f"# by letter\n{named}\n")
    address = "user1@below.shy.test" if named == "shy.test" else "user1@hosted.test"
    async with opened(tmp_path, lists_dir=str(folder), abuse_contact="https://x.test/abuse") as (
        bed,
        client,
    ):
        (result, other) = await verified(client, [address, "user1@guarded.test"])
        request = catalog_service_pb2.GetServerInfoRequest()
        info: Any = await client.call(client.catalog.GetServerInfo, request)
        lists: Any = await client.call(
            client.catalog.ListLists, catalog_service_pb2.ListListsRequest()
        )
    both = {"SUCCESS": 1, "DOMAIN_OPTED_OUT": 1}
    assert both == statuses([result, other])
    refused = next(one for one in (result, other) if one.input_data == address)
    assert refused.mx_hosts
    assert "asked not to be probed" in refused.explanation
    domain = address.partition("@")[2].encode()
    assert not [s for s in bed.sessions.all for c in s.commands if domain in c]
    assert "https://x.test/abuse" == info.abuse_contact
    assert ("optout", 1) in {(one.name, one.row_count) for one in lists.lists}
