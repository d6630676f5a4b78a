"""How claims and settlements travel through a pipe: their entries and results in columns.

Pickling a thousand small tuples takes six times as long as pickling their columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mailvet.model.batch import Claim, Deferral, ResultRow, Settlement, WorkEntry
from mailvet.model.named import new
from mailvet.model.ruling import NO_RULES

Columns = tuple[tuple[Any, ...], ...]


class FlatClaim(NamedTuple):
    """A claim without its entries, and those."""

    claim: Claim
    entries: Columns


class FlatSettlement(NamedTuple):
    """A settlement; of its claim only what names it."""

    claim: Claim
    results: Columns
    deferrals: list[Deferral]
    recalled: frozenset[int]


def flat_claims(claims: Sequence[Claim]) -> list[FlatClaim]:
    """Return claims as they travel."""
    return [FlatClaim(replace(claim, entries=()), _columns(claim.entries)) for claim in claims]


def claims_from(flat: Sequence[FlatClaim]) -> list[Claim]:
    """Return the claims that were sent."""
    return [
        replace(claim, entries=tuple([new(WorkEntry, row) for row in zip(*columns, strict=True)]))
        for claim, columns in flat
    ]


def flat_settlements(settlements: Sequence[Settlement]) -> list[FlatSettlement]:
    """Return settlements as they travel, without what the store wrote into their claims."""
    return [
        FlatSettlement(
            replace(claim, entries=(), rules=(), tenant_rules=NO_RULES),
            _columns(results),
            deferrals,
            recalled,
        )
        for claim, results, deferrals, recalled in settlements
    ]


def settlements_from(flat: Sequence[FlatSettlement]) -> list[Settlement]:
    """Return the settlements that were sent."""
    return [
        Settlement(
            claim,
            [new(ResultRow, row) for row in zip(*columns, strict=True)],
            deferrals,
            recalled,
        )
        for claim, columns, deferrals, recalled in flat
    ]


def _columns(rows: Iterable[tuple[Any, ...]]) -> Columns:
    return tuple(zip(*rows, strict=True))
