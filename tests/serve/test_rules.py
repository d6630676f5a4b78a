"""Rules and schemes through a whole service: batches, answers at once, explanations."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import (
    account_service_pb2,
    batch_pb2,
    batch_service_pb2,
    result_pb2,
    result_service_pb2,
    rules_pb2,
    status_pb2,
)

WORLD = """
name = "rules"

[[host]]
name = "mx.rules.test"
addresses = ["127.0.82.1"]
domains = ["rules.test"]
mailboxes = { users = 5 }
"""

RULES = {
    "overrides": [
        {"pattern": "user1@*", "classification": "CLASSIFICATION_RISKY", "note": "Ask first."},
        {"pattern": "*.closed.test", "classification": "CLASSIFICATION_UNDELIVERABLE"},
    ],
    "scheme": [
        {
            "status": "ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST",
            "classification": "CLASSIFICATION_RISKY",
            "label": "write-a-letter",
        },
        {"status": "ENTRY_STATUS_OVERRIDE_MATCH", "label": "by-rule"},
    ],
}


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[tuple[Testbed, Client]]:
    async with Testbed(parse_world(WORLD)) as bed:
        settings = load(
            {
                "listen": f"unix:{folder}/socket",
                "store": str(folder / "store.db"),
                "resolver": bed.resolver,
                "smtp_port": bed.smtp_port,
                "allow_network": bed.allow_networks,
                "helo": "server.mailvet.test",
                "egress_canaries": "",
                "drain_grace_s": 1,
            }
        )
        async with Service(settings) as service, connect(service.address) as client:
            yield bed, client


async def _set_rules(client: Client) -> None:
    request = account_service_pb2.UpdateRulesRequest(rules=rules_pb2.Rules(**RULES))  # type: ignore[arg-type]
    await client.call(client.accounts.UpdateRules, request)


async def _answers(
    client: Client, addresses: list[str], **more: Any
) -> dict[str, result_pb2.Result]:
    batch = await client.create_batch(
        batch_service_pb2.CreateBatchRequest(
            entries=[batch_pb2.Entry(input_data=address) for address in addresses],
            launch=True,
            **more,
        )
    )
    request = result_service_pb2.StreamResultsRequest(
        batch_id=batch.batch_id, view=result_pb2.RESULT_VIEW_EVIDENCE
    )
    found: dict[str, result_pb2.Result] = {}
    async for frame in client.stream_results(request):
        found |= {result.input_data: result for result in frame.results}
    return found


async def test_what_a_rule_decides_is_not_asked(tmp_path: Path) -> None:
    """Batch rules come first; the evidence names the rule; no DNS and no SMTP is spent on it."""
    own = rules_pb2.OverrideRule(
        pattern="USER1@rules.*", classification=status_pb2.CLASSIFICATION_DELIVERABLE
    )
    async with _opened(tmp_path) as (bed, client):
        await _set_rules(client)
        found = await _answers(client, ["user1@rules.test", "x@a.closed.test"], rules=[own])
        assert 0 == sum(bed.queries.values())
        assert [] == bed.sessions.all
    first, second = found["user1@rules.test"], found["x@a.closed.test"]

    assert status_pb2.ENTRY_STATUS_OVERRIDE_MATCH == first.status == second.status
    assert status_pb2.CLASSIFICATION_DELIVERABLE == first.classification
    assert status_pb2.CLASSIFICATION_UNDELIVERABLE == second.classification
    assert "by-rule" == first.custom_classification
    assert ["override FAIL batch.rules[0] USER1@rules.*"] == list(first.evidence.findings)
    assert ["override FAIL tenant.rules[1] *.closed.test"] == list(second.evidence.findings)
    assert "*.closed.test" in second.explanation
    assert 0 == first.attempts


async def test_a_rule_comes_before_duplicates_and_provider_rules(tmp_path: Path) -> None:
    """Every entry that matches gets the rule's answer; what is no address matches nothing."""
    own = rules_pb2.OverrideRule(pattern="*", classification=status_pb2.CLASSIFICATION_RISKY)
    async with _opened(tmp_path) as (_, client):
        found = await _answers(
            client,
            ["a@gmail.com", "user1@rules.test", "USER1@RULES.test", "no address"],
            rules=[own],
        )
    ruled = [found[address].status for address in list(found) if "@" in address]

    assert [status_pb2.ENTRY_STATUS_OVERRIDE_MATCH] * 3 == ruled
    assert not any(result.HasField("duplicate_of") for result in found.values())
    assert status_pb2.ENTRY_STATUS_AT_SIGN_NOT_FOUND == found["no address"].status


async def test_a_scheme_maps_what_was_found(tmp_path: Path) -> None:
    """The status stays; classification, label and the batch's counts are the tenant's."""
    async with _opened(tmp_path) as (_, client):
        await _set_rules(client)
        found = await _answers(client, ["nobody@rules.test", "user2@rules.test"])
        at_once = await client.verify_email("nobody@rules.test")
        steps = [frame async for frame in client.explain_email("nobody@rules.test")]
    nobody, user = found["nobody@rules.test"], found["user2@rules.test"]

    for result in (nobody, at_once, steps[-1].result):
        assert status_pb2.ENTRY_STATUS_MAILBOX_DOES_NOT_EXIST == result.status
        assert status_pb2.CLASSIFICATION_RISKY == result.classification
        assert "write-a-letter" == result.custom_classification
    assert "" == user.custom_classification
    assert status_pb2.CLASSIFICATION_DELIVERABLE == user.classification


async def test_tenant_rules_hold_at_once(tmp_path: Path) -> None:
    """The next call after an update follows it, and the one after it is taken back does not."""
    async with _opened(tmp_path) as (_, client):
        await _set_rules(client)
        ruled = await client.verify_email("user1@rules.test")
        await client.call(client.accounts.UpdateRules, account_service_pb2.UpdateRulesRequest())
        free = await client.verify_email("user1@rules.test")

    assert status_pb2.ENTRY_STATUS_OVERRIDE_MATCH == ruled.status
    assert ruled.explanation.endswith("Ask first.")
    assert status_pb2.ENTRY_STATUS_SUCCESS == free.status
