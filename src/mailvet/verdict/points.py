"""Risk points: the named weights that add up to a score, read from data."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mailvet.model.result import RiskPoint
from mailvet.model.status import Classification, EntryStatus

MAX_SCORE = 100


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What each finding adds; an operator may bring other ones. Each set is its own identity."""

    classification: Mapping[Classification, int]
    status: Mapping[EntryStatus, int]
    trait: Mapping[str, int]


@cache
def default_weights() -> Weights:
    """The weights of `data/points.toml`."""
    text = files("mailvet.verdict").joinpath("data/points.toml").read_text("utf-8")
    tables = tomllib.loads(text)
    return Weights(
        {Classification[name]: points for name, points in tables["classification"].items()},
        {EntryStatus[name]: points for name, points in tables["status"].items()},
        tables["trait"],
    )


def points_of(
    status: EntryStatus,
    classification: Classification,
    traits: Iterable[str],
    weights: Weights,
) -> tuple[RiskPoint, ...]:
    """The non-zero points that make up the score, in the order base, status, traits."""
    found = [
        RiskPoint(classification.name.lower(), weights.classification.get(classification, 0)),
        RiskPoint(status.name.lower(), weights.status.get(status, 0)),
        *(RiskPoint(trait, weights.trait[trait]) for trait in traits if trait in weights.trait),
    ]
    return tuple(point for point in found if point.points)


def score_of(points: Iterable[RiskPoint]) -> int:
    """The sum of the points, held between 0 and 100."""
    return max(0, min(MAX_SCORE, sum(point.points for point in points)))
