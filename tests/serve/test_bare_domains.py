"""Domains in place of addresses, through a whole service in front of real hosts on loopback."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailvet.client import Client, connect
from mailvet.config import load
from mailvet.serve.run import Service
from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import parse_world
from mailvet.v1 import (
    batch_pb2,
    batch_service_pb2,
    result_pb2,
    result_service_pb2,
    rules_pb2,
    status_pb2,
    upload_file_pb2,
    usage_pb2,
)
from mailvet.v1 import verification_service_pb2 as pb

WORLD = """
name = "bare domains"
any_names = true

[[host]]
name = "mx.plain.test"
addresses = ["127.0.87.1"]
domains = ["plain.test", "second.test", "bücher.test"]
mailboxes = { users = 5 }

[[host]]
name = "mx.any.test"
addresses = ["127.0.87.2"]
personality = "catch_all"
domains = ["any.test"]

[[host]]
name = "mx.foreign.test"
addresses = ["127.0.87.3"]
personality = "relay_denied"
domains = ["foreign.test"]

[[host]]
name = "mx.weak.test"
addresses = ["127.0.87.4"]
personality = "bare_550"
domains = ["weak.test"]

[[host]]
name = "mx.strict.test"
addresses = ["127.0.87.5"]
personality = "blocks_at_rcpt"
domains = ["strict.test"]

[[host]]
name = "mx.throwaway.test"
addresses = ["127.0.87.6"]
domains = ["mailinator.com"]

[[zone]]
domain = "null.test"
null_mx = true
"""
EXPECTED = {
    "plain.test": "SUCCESS",
    "bücher.test": "SUCCESS",
    "any.test": "SERVER_IS_CATCH_ALL",
    "foreign.test": "RELAY_DENIED",
    "weak.test": "SMTP_DIALOG_ERROR",
    "strict.test": "LOCAL_END_POINT_REJECTED",
    "mailinator.com": "DOMAIN_IS_WELL_KNOWN_DEA",
    "null.test": "DOMAIN_HAS_NULL_MX",
    "missing.test": "DOMAIN_DOES_NOT_EXIST",
    "not a domain": "AT_SIGN_NOT_FOUND",
    "user1@plain.test": "SUCCESS",
    "nobody@plain.test": "MAILBOX_DOES_NOT_EXIST",
    "PLAIN.test ": "DUPLICATE",
}


@pytest.fixture(name="opened", params=[0, pytest.param(1, marks=pytest.mark.slow)])
async def _opened(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Testbed, Client]]:
    async with Testbed(parse_world(WORLD)) as bed:
        settings = {
            "listen": f"unix:{tmp_path}/socket",
            "store": str(tmp_path / "store.db"),
            "resolver": bed.resolver,
            "smtp_port": bed.smtp_port,
            "allow_network": bed.allow_networks,
            "helo": "server.mailvet.test",
            "egress_canaries": "",
            "drain_grace_s": 1,
            "processes": request.param,
            "unknown_user_limit": 2,
        }
        async with Service(load(settings)) as service, connect(service.address) as client:
            yield bed, client


def entries(texts: list[str]) -> list[batch_pb2.Entry]:
    """Entries as a caller sends them."""
    return [batch_pb2.Entry(input_data=text) for text in texts]


async def created(client: Client, texts: list[str], **more: Any) -> batch_pb2.Batch:
    """A batch of them that is at work."""
    return await client.create_batch(
        batch_service_pb2.CreateBatchRequest(entries=entries(texts), launch=True, **more)
    )


async def results(client: Client, batch_id: str) -> dict[str, result_pb2.Result]:
    """The results of a batch by their input."""
    asked = result_service_pb2.StreamResultsRequest(
        batch_id=batch_id, view=result_pb2.RESULT_VIEW_EVIDENCE
    )
    return {
        one.input_data: one async for frame in client.stream_results(asked) for one in frame.results
    }


def told(found: dict[str, result_pb2.Result]) -> dict[str, str]:
    """The status of each."""
    return {
        text: status_pb2.EntryStatus.Name(one.status).removeprefix("ENTRY_STATUS_")
        for text, one in found.items()
    }


async def test_domains_and_addresses_are_answered_side_by_side(
    opened: tuple[Testbed, Client],
) -> None:
    """Each by what it is; the batch says that its entries may be domains."""
    _, client = opened
    batch = await created(client, list(EXPECTED), bare_domains=True)
    found = await results(client, batch.batch_id)

    assert batch.bare_domains
    assert EXPECTED == told(found)
    assert list(EXPECTED).index("plain.test") == found["PLAIN.test "].duplicate_of


async def test_a_domain_has_no_mailbox(opened: tuple[Testbed, Client]) -> None:
    """What names a mailbox is empty; what was asked, and of whom, is in the evidence."""
    _, client = opened
    batch = await created(client, ["bücher.test", "any.test", "gmial.com"], bare_domains=True)
    found = await results(client, batch.batch_id)
    plain, any_mailbox = found["bücher.test"], found["any.test"]

    assert ("", "", "", status_pb2.LOCAL_PART_TYPE_UNSPECIFIED, False) == (
        plain.email_address,
        plain.local_part,
        plain.tag,
        plain.local_part_type,
        plain.is_role_account,
    )
    assert ("bücher.test", "xn--bcher-kva.test", "xn--bcher-kva.test", True) == (
        plain.domain,
        plain.ascii_domain,
        plain.canonical,
        plain.has_international_domain_name,
    )
    assert (status_pb2.FACT_YES, status_pb2.FACT_YES, ["mx.plain.test"]) == (
        plain.mx_valid,
        plain.can_connect,
        list(plain.mx_hosts),
    )
    assert (status_pb2.FACT_NO, status_pb2.FACT_YES) == (
        plain.is_catch_all,
        any_mailbox.is_catch_all,
    )
    assert status_pb2.FACT_UNSPECIFIED == plain.is_deliverable == any_mailbox.is_deliverable
    assert not plain.evidence.HasField("mailbox")
    assert (550, "mx.plain.test") == (
        plain.evidence.made_up_mailbox.code,
        plain.evidence.made_up_mailbox.host,
    )
    assert "takes mail for the domain and refuses made-up mailboxes" in plain.explanation
    assert ["gmail.com"] == list(found["gmial.com"].suggestions)


async def test_without_leave_a_domain_is_no_address(opened: tuple[Testbed, Client]) -> None:
    """Nobody is asked about it, and it costs nothing."""
    bed, client = opened
    batch = await created(client, ["plain.test"])

    assert {"plain.test": "AT_SIGN_NOT_FOUND"} == told(await results(client, batch.batch_id))
    assert not bed.sessions.count


async def test_a_domain_costs_what_an_address_does(opened: tuple[Testbed, Client]) -> None:
    """Also when it is of a file; its duplicate and what is neither cost nothing."""
    _, client = opened
    batch = await client.create_batch(
        batch_service_pb2.CreateBatchRequest(batch_id="listed", bare_domains=True)
    )
    added: Any = await client.call(
        client.batches.AddFile,
        upload_file_pb2.AddFileRequest(
            batch_id=batch.batch_id,
            settings=upload_file_pb2.FileSettings(name="sites.csv", column_name="site"),
            data=b"site,owner\nplain.test,Ann\nany.test,Bob\nPlain.TEST,Cy\nnone,Di\n",
        ),
    )
    prepared: Any = await client.call(
        client.batches.PrepareBatch, batch_service_pb2.PrepareBatchRequest(batch_id="listed")
    )
    estimated: Any = await client.call(
        client.accounts.EstimateCost, usage_pb2.EstimateCostRequest(batch_id="listed")
    )
    await client.call(
        client.batches.LaunchBatch, batch_service_pb2.LaunchBatchRequest(batch_id="listed")
    )
    found = await results(client, "listed")

    assert 4 == added.reading.rows_kept
    assert (2, 1, 1, 2) == (
        prepared.unique_count,
        prepared.duplicate_count,
        prepared.wrong_format_count,
        estimated.max_units,
    )
    assert {
        "plain.test": "SUCCESS",
        "any.test": "SERVER_IS_CATCH_ALL",
        "Plain.TEST": "DUPLICATE",
        "none": "AT_SIGN_NOT_FOUND",
    } == told(found)


async def test_domains_are_answered_at_once_and_remembered(
    opened: tuple[Testbed, Client],
) -> None:
    """By every method; within `max_age` the exchanger is not asked again."""
    bed, client = opened
    request = pb.VerifyEmailsRequest(
        entries=entries(["plain.test", "user1@plain.test", "any.test"]), bare_domains=True
    )
    request.max_age.FromSeconds(60)
    first: Any = await client.call(client.verification.VerifyEmails, request)
    sessions = dict(bed.sessions.count)
    again: Any = await client.call(client.verification.VerifyEmails, request)

    assert ["SUCCESS", "SUCCESS", "SERVER_IS_CATCH_ALL"] == [
        status_pb2.EntryStatus.Name(one.status).removeprefix("ENTRY_STATUS_")
        for one in first.results
    ]
    assert sessions == dict(bed.sessions.count)
    assert [True] * 3 == [one.from_cache for one in again.results]
    for before, after in zip(first.results, again.results, strict=True):
        for field in ("status", "canonical", "is_catch_all", "email_address", "risk_score"):
            assert getattr(before, field) == getattr(after, field)


async def test_a_domain_is_explained(opened: tuple[Testbed, Client]) -> None:
    """The steps name the domain, and only the dialogue the mailbox that was made up."""
    _, client = opened
    frames = [one async for one in client.explain_email("plain.test", bare_domains=True)]

    assert ("", "", "plain.test") == (
        frames[0].parse.email_address,
        frames[0].parse.local_part,
        frames[0].parse.ascii_domain,
    )
    assert any("RCPT TO:<v" in frame.smtp_line.text for frame in frames)
    assert status_pb2.ENTRY_STATUS_SUCCESS == frames[-1].result.status


async def test_answers_about_domains_are_forgotten_with_their_batch(
    opened: tuple[Testbed, Client],
) -> None:
    """When that is asked for, as those about addresses."""
    _, client = opened
    ages: dict[str, Any] = {"max_age": {"seconds": 60}, "bare_domains": True}
    batch = await created(client, ["plain.test"], **ages)
    await results(client, batch.batch_id)
    delete = batch_service_pb2.DeleteBatchRequest(batch_id=batch.batch_id, forget_answers=True)
    await client.call(client.batches.DeleteBatch, delete)
    again = await created(client, ["plain.test"], **ages)

    assert not (await results(client, again.batch_id))["plain.test"].from_cache


async def test_rules_about_domains_decide_domains(opened: tuple[Testbed, Client]) -> None:
    """A rule about names of mailboxes does not see the one that is made up."""
    _, client = opened
    risky = status_pb2.CLASSIFICATION_RISKY
    rules = [
        rules_pb2.OverrideRule(pattern=pattern, classification=risky)
        for pattern in ("v*@plain.test", "*@second.test", "any.*")
    ]
    texts = ["plain.test", "second.test", "any.test"]
    batch = await created(client, texts, bare_domains=True, rules=rules)

    assert {
        "plain.test": "SUCCESS",
        "second.test": "OVERRIDE_MATCH",
        "any.test": "OVERRIDE_MATCH",
    } == told(await results(client, batch.batch_id))


async def test_domains_are_no_guesses(opened: tuple[Testbed, Client]) -> None:
    """Who asks about a domain again and again is not stopped as one who guesses names is."""
    _, client = opened
    texts = ["plain.test", "PLAIN.test", "Plain.test", "plain.TEST"]
    off = batch_pb2.DEDUPLICATION_OFF
    batch = await created(client, texts, bare_domains=True, deduplication=off)

    assert dict.fromkeys(texts, "SUCCESS") == told(await results(client, batch.batch_id))
