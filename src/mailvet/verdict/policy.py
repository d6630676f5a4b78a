"""What one caller decides himself, compiled: override rules, and what statuses mean to him."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from mailvet.model.address import Address
from mailvet.model.finding import Finding, Outcome
from mailvet.model.ruling import OverrideRule, SchemeRow, TenantRules
from mailvet.model.status import EntryStatus
from mailvet.verdict.override import RuleBook

Scheme = Mapping[EntryStatus, SchemeRow]

REMEMBERED = 256
"""Policies kept compiled: those of the batches and tenants at work at one time."""


class Ruling(NamedTuple):
    """The rule that decides an address."""

    rule: OverrideRule
    origin: str
    """Where it stands: `batch.rules[0]`, `tenant.rules[0]`."""

    @property
    def finding(self) -> Finding:
        """The rule, as the finding that decides."""
        return Finding(
            check="override",
            outcome=Outcome.FAIL,
            status=EntryStatus.OVERRIDE_MATCH,
            classification=self.rule.classification,
            rule=f"{self.origin} {self.rule.pattern}",
        )


class Policy:
    """The rules of a batch, then those of its tenant, and the tenant's scheme."""

    def __init__(self, rules: tuple[OverrideRule, ...], tenant: TenantRules) -> None:
        self.scheme: Scheme = {row.status: row for row in tenant.scheme}
        self._own = len(rules)
        self._book = RuleBook((*rules, *tenant.overrides))

    def ruling_of(self, address: Address) -> Ruling | None:
        """Return the rule that decides an address, if one does: the first match."""
        place = self._book.first(address)
        if place is None:
            return None
        if place < self._own:
            return Ruling(self._book.rules[place], f"batch.rules[{place}]")
        return Ruling(self._book.rules[place], f"tenant.rules[{place - self._own}]")


@lru_cache(maxsize=REMEMBERED)
def policy_of(rules: tuple[OverrideRule, ...], tenant: TenantRules) -> Policy | None:
    """Return the policy that rules make; None when there are none, which is the usual case."""
    if not rules and not tenant.overrides and not tenant.scheme:
        return None
    return Policy(rules, tenant)
