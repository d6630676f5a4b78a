"""The contract, for what callers decide themselves; over every store."""

from pathlib import Path

import pytest

from mailvet.errors import EtagMismatch
from mailvet.model.batch import BatchSpec
from mailvet.model.ruling import NO_RULES, OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import Classification, EntryStatus
from mailvet.store.base import Store
from tests.store.samples import SPEC, TENANT, Clock, entries, launched, open_sqlite

OWN = (OverrideRule("*@Example.org", Classification.RISKY, "see \N{SNOWMAN}"),)
RULES = TenantRules(
    overrides=(
        OverrideRule("*.edu", Classification.DELIVERABLE),
        OverrideRule("abuse@*", Classification.UNDELIVERABLE, "never"),
    ),
    scheme=(SchemeRow(EntryStatus.SERVER_IS_CATCH_ALL, Classification.UNKNOWN, "later"),),
)


async def test_rules_are_kept_as_they_are(store: Store, clock: Clock) -> None:
    """In their order, with a revision and a time; who never set any has none."""
    assert NO_RULES == await store.get_rules(TENANT)
    kept = await store.put_rules(TENANT, RULES)

    assert (RULES.overrides, RULES.scheme) == (kept.overrides, kept.scheme)
    assert (1, clock.now) == (kept.revision, kept.update_time)
    assert kept == await store.get_rules(TENANT)


async def test_rules_of_others_are_not_seen(store: Store) -> None:
    """Each tenant has its own."""
    await store.put_rules(TENANT, RULES)
    assert NO_RULES == await store.get_rules("other")
    await launched(store, 1)
    created = await store.create_batch("other", "b", SPEC, entries(1), launch=True)
    await store.plan_launched()
    claims = await store.claim("w", max_entries=10)
    by_batch = {claim.batch_key: claim.tenant_rules for claim in claims}

    assert NO_RULES == by_batch.pop(created.batch.key)
    assert [RULES.overrides] == [rules.overrides for rules in by_batch.values()]


async def test_rules_are_replaced_only_over_the_revision_named(store: Store) -> None:
    """Without one, whatever is there is replaced; the error has the etag in force."""
    first = await store.put_rules(TENANT, RULES, over=0)
    with pytest.raises(EtagMismatch) as caught:
        await store.put_rules(TENANT, NO_RULES, over=0)
    assert {"etag": "r1"} == caught.value.metadata
    assert first == await store.get_rules(TENANT)
    await store.put_rules(TENANT, NO_RULES, over=1)
    assert 3 == (await store.put_rules(TENANT, RULES)).revision


async def test_a_batch_keeps_its_rules(store: Store) -> None:
    """They come back with the batch and with every claim of it."""
    await launched(store, 6, spec=BatchSpec(rules=OWN))
    claims = await store.claim("w", max_entries=100)

    assert OWN == (await store.get_batch(TENANT, "b1")).spec.rules
    assert {OWN} == {claim.rules for claim in claims}


async def test_a_later_claim_has_later_rules(store: Store) -> None:
    """What is claimed after an update carries what the update said."""
    await launched(store, 8)
    (before,) = await store.claim("w", max_entries=1)
    kept = await store.put_rules(TENANT, RULES)
    (after,) = await store.claim("w", max_entries=1)

    assert (NO_RULES, kept) == (before.tenant_rules, after.tenant_rules)


async def test_rules_outlive_the_process(tmp_path: Path, clock: Clock) -> None:
    """What was acknowledged is there after a reopen."""
    store = await open_sqlite(tmp_path / "rules.db", clock)
    kept = await store.put_rules(TENANT, RULES)
    await store.close()
    again = await open_sqlite(tmp_path / "rules.db", clock)

    assert kept == await again.get_rules(TENANT)
    await again.close()
