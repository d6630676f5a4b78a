"""AccountService over the wire: rules and schemes, each tenant its own."""

from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from mailvet.accounts.keys import make_key
from mailvet.store.base import Store
from mailvet.v1 import account_service_pb2 as pb
from mailvet.v1 import batch_service_pb2, rules_pb2, status_pb2
from mailvet.v1 import data_policy_pb2 as policy_pb
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import World, told

RULES = rules_pb2.Rules(
    overrides=[
        rules_pb2.OverrideRule(
            pattern="*@example.org", classification=status_pb2.CLASSIFICATION_RISKY, note="ours"
        )
    ],
    scheme=[
        rules_pb2.SchemeRow(status=status_pb2.ENTRY_STATUS_SUCCESS, label="send"),
        rules_pb2.SchemeRow(
            status=status_pb2.ENTRY_STATUS_SERVER_IS_CATCH_ALL,
            classification=status_pb2.CLASSIFICATION_UNDELIVERABLE,
        ),
    ],
)


async def _update(world: World, rules: rules_pb2.Rules, **more: Any) -> rules_pb2.Rules:
    request = pb.UpdateRulesRequest(rules=rules, **more)
    kept: rules_pb2.Rules = (await world.accounts.UpdateRules(request)).rules
    return kept


async def _get(world: World) -> rules_pb2.Rules:
    rules: rules_pb2.Rules = (await world.accounts.GetRules(pb.GetRulesRequest())).rules
    return rules


async def test_rules_come_back_as_they_were_sent(world: World) -> None:
    """With an etag and a time of their own."""
    assert (0, 0, "r0") == (
        len((await _get(world)).overrides),
        len((await _get(world)).scheme),
        (await _get(world)).etag,
    )
    kept = await _update(world, RULES)

    assert kept == await _get(world)
    assert (list(RULES.overrides), list(RULES.scheme)) == (list(kept.overrides), list(kept.scheme))
    assert kept.update_time.seconds > 0


async def test_an_etag_guards_against_overwriting(world: World) -> None:
    """The one in force passes, an older or a made-up one is refused with the one in force."""
    kept = await _update(world, RULES)
    newer = await _update(world, rules_pb2.Rules(etag=kept.etag))
    assert (0, "r2") == (len(newer.overrides), newer.etag)
    for etag in (kept.etag, "made up"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await _update(world, rules_pb2.Rules(etag=etag))
        assert "r2" == told(caught.value).info.metadata["etag"]


async def test_a_check_writes_nothing(world: World) -> None:
    """With validate_only the errors are the same, and nothing is kept."""
    assert RULES == await _update(world, RULES, validate_only=True)
    assert "r0" == (await _get(world)).etag
    bad = rules_pb2.Rules(overrides=[rules_pb2.OverrideRule()])
    with pytest.raises(grpc.aio.AioRpcError):
        await _update(world, bad, validate_only=True)


async def test_a_foreign_tenant_sees_nothing_of_them(open_world: OpenWorld, store: Store) -> None:
    """Rules belong to the tenant of the key."""
    worlds = []
    for tenant in ("owner", "stranger"):
        secret, key = make_key(tenant, "t", pepper=store.secret, wall_clock=lambda: 1.0)
        await store.add_key(key)
        metadata = (("x-api-key", secret),)
        worlds.append(await open_world(metadata=metadata, require_keys=True))
    owner, stranger = worlds
    await _update(owner, RULES)

    assert "r0" == (await _get(stranger)).etag
    await _update(stranger, rules_pb2.Rules())
    assert 1 == len((await _get(owner)).overrides)


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        ({"overrides": [{"pattern": "a" * 321}]}, ["[0].pattern", "[0].classification"]),
        (
            {"overrides": [{"pattern": "a", "classification": 9, "note": "n" * 201}]},
            ["[0].classification", "[0].note"],
        ),
        ({"overrides": [{"pattern": "a", "classification": 1, "note": "\n"}]}, ["[0].note"]),
        ({"overrides": [{"pattern": "a", "classification": 1}] * 101}, [""]),
        ({"scheme": [{"status": 1, "label": "x"}] * 2}, ["[1].status"]),
        ({"scheme": [{"status": 1, "label": "x" * 65}]}, ["[0].label"]),
        ({"scheme": [{"status": 5, "label": "x"}]}, ["[0].status"]),
        ({"scheme": [{"status": 70, "classification": 1}]}, ["[0].classification"]),
        ({"scheme": [{"status": 70, "label": "x"}, {"status": 1}]}, ["[1]"]),
    ],
)
async def test_every_wrong_field_is_named(
    rules: dict[str, Any], fields: list[str], world: World
) -> None:
    """With its path in the request."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _update(world, rules_pb2.Rules(**rules))
    violations = told(caught.value).details["BadRequest"].field_violations

    (name,) = rules
    assert [f"rules.{name}{field}" for field in fields] == [one.field for one in violations]


async def test_rules_of_a_batch_are_checked_alike(world: World) -> None:
    """They are counted in the batch; a wrong one is named by its place."""
    good = rules_pb2.OverrideRule(pattern="*", classification=status_pb2.CLASSIFICATION_RISKY)
    assert 1 == (await world.create("b", rules=[good])).rule_count
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.create("c", rules=[good, rules_pb2.OverrideRule(pattern="@")])
    violations = told(caught.value).details["BadRequest"].field_violations

    assert ["rules[1].pattern", "rules[1].classification"] == [one.field for one in violations]


async def test_other_rules_are_another_request(world: World) -> None:
    """A repeated create call with other rules is refused."""
    request = batch_service_pb2.CreateBatchRequest(request_id="once")
    await world.batches.CreateBatch(request)
    request.rules.add(pattern="*", classification=status_pb2.CLASSIFICATION_RISKY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await world.batches.CreateBatch(request)

    assert "REQUEST_ID_REUSED" == told(caught.value).info.reason


async def test_a_data_policy_holds_for_new_batches(world: World) -> None:
    """What is set is shown, and a batch that says nothing gets it."""
    shown = (await world.accounts.GetDataPolicy(policy_pb.GetDataPolicyRequest())).policy
    assert (2_592_000, 0, 5 * 1024**3) == (
        shown.retention.seconds,
        shown.stored_bytes,
        shown.storage_limit_bytes,
    )
    policy = policy_pb.DataPolicy(retention=Duration(seconds=600))
    request = policy_pb.UpdateDataPolicyRequest(policy=policy)
    assert 600 == (await world.accounts.UpdateDataPolicy(request)).policy.retention.seconds
    created = await world.create("b1", 2)
    own = await world.create("b2", retention=Duration(seconds=300))

    assert (600, 300) == (created.retention.seconds, own.retention.seconds)
    assert not created.HasField("expire_time")
    shown = (await world.accounts.GetDataPolicy(policy_pb.GetDataPolicyRequest())).policy
    assert created.stored_bytes == shown.stored_bytes > 0


@pytest.mark.parametrize("seconds", [299, 30 * 86_400 + 1])
async def test_a_retention_has_limits(world: World, seconds: int) -> None:
    """From five minutes to thirty days, for a tenant and for a batch."""
    policy = policy_pb.DataPolicy(retention=Duration(seconds=seconds))
    calls = [
        world.accounts.UpdateDataPolicy(policy_pb.UpdateDataPolicyRequest(policy=policy)),
        world.create("b1", retention=Duration(seconds=seconds)),
    ]
    fields = []
    for one in calls:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await one
        fields.append(told(caught.value).details["BadRequest"].field_violations[0].field)

    assert ["policy.retention", "retention"] == fields
