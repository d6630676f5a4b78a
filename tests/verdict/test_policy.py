"""What one caller decides himself."""

from mailvet.model.address import Address, DomainName
from mailvet.model.ruling import NO_RULES, OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import Classification, EntryStatus
from mailvet.verdict import conclude
from mailvet.verdict.policy import policy_of

ANN = Address("ann", DomainName("example.org", "example.org"))
BOB = Address("bob", DomainName("example.org", "example.org"))
DEAD = OverrideRule("ann@*", Classification.UNDELIVERABLE, "left us")
GOOD = OverrideRule("*.org", Classification.DELIVERABLE)


def test_nobody_who_decides_nothing_pays_for_it() -> None:
    """Without any rule there is no policy at all."""
    assert None is policy_of((), NO_RULES)
    assert None is policy_of((), TenantRules(revision=3))


def test_rules_of_the_batch_come_before_those_of_the_tenant() -> None:
    """The evidence says where the rule stands."""
    policy = policy_of((DEAD,), TenantRules(overrides=(GOOD,)))
    assert policy is not None
    ann, bob = policy.ruling_of(ANN), policy.ruling_of(BOB)

    assert ann is not None
    assert bob is not None
    assert ("batch.rules[0] ann@*", DEAD) == (ann.finding.rule, ann.rule)
    assert ("tenant.rules[0] *.org", GOOD) == (bob.finding.rule, bob.rule)


def test_a_rule_gives_the_classification() -> None:
    """The status says that a rule decided, score and category follow what the rule says."""
    policy = policy_of((DEAD,), NO_RULES)
    assert policy is not None
    ruling = policy.ruling_of(ANN)
    assert ruling is not None
    verdict = conclude([ruling.finding])

    assert EntryStatus.OVERRIDE_MATCH == verdict.status
    assert Classification.UNDELIVERABLE == verdict.classification
    assert 100 == verdict.risk_score


def test_a_policy_is_compiled_once() -> None:
    """Every chunk of a batch shares it."""
    assert policy_of((DEAD,), NO_RULES) is policy_of((DEAD,), NO_RULES)


def test_a_scheme_has_a_row_for_a_status() -> None:
    """The scheme of the tenant is looked up by status."""
    row = SchemeRow(EntryStatus.SUCCESS, label="send")
    policy = policy_of((), TenantRules(scheme=(row,)))
    assert policy is not None
    assert {EntryStatus.SUCCESS: row} == policy.scheme
    assert None is policy.ruling_of(ANN)
