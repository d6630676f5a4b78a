"""Risk points: the named weights that add up to a score, read from data."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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


def read_weights(text: str) -> Weights:
    """Return the weights of a TOML text like `data/points.toml`; what it leaves out is as there.

    Raises `ValueError` for what is no TOML, for a name that nothing has, with the nearest one
    that something has, and for points that are no whole number from -100 to 100.
    """
    tables = tomllib.loads(text)
    ours = default_weights()
    _known(tables, ("classification", "status", "trait"), "table")
    classifications = _points(tables, "classification", [one.name for one in Classification if one])
    statuses = _points(tables, "status", [one.name for one in EntryStatus if one])
    traits = _points(tables, "trait", ours.trait)
    return Weights(
        {**ours.classification, **{Classification[n]: p for n, p in classifications.items()}},
        {**ours.status, **{EntryStatus[n]: p for n, p in statuses.items()}},
        {**ours.trait, **traits},
    )


def _known(given: Iterable[str], known: Collection[str], kind: str) -> None:
    for name in given:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise ValueError(f"{name} is no {kind}; {meant}")


def _points(tables: Mapping[str, object], name: str, known: Collection[str]) -> Mapping[str, int]:
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(  # noqa: TRY004 - what is wrong is the operator's file
            f"{name} is a table: write [{name}] and a line for each name"
        )
    _known(table, known, name)
    for key, points in table.items():
        if type(points) is not int or abs(points) > MAX_SCORE:
            raise ValueError(f"{name}.{key} = {points!r}: use a whole number from -100 to 100")
    return table


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
