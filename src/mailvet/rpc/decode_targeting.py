"""What a list is meant for, from protobuf."""

import re

from mailvet.errors import Violations
from mailvet.model.targeting import Targeting
from mailvet.rpc import rules
from mailvet.v1 import targeting_pb2 as pb

ENUMS = {
    "audience": pb.TargetAudience,
    "market_industry": pb.TargetMarketIndustry,
    "objective": pb.TargetObjective,
}
"""The enum of each field."""


def is_country(text: str) -> bool:
    """Whether a text is written like a country of ISO 3166-1."""
    return re.fullmatch("[A-Z]{2}", text) is not None


def targeting(given: pb.Targeting, path: str, wrong: Violations) -> Targeting:
    """Return what was said; `path` leads to it in the request."""
    if given.country and not is_country(given.country):
        wrong.add(f"{path}country", "use two capital letters of ISO 3166-1, such as SG")
    numbers = {
        name: rules.number(getattr(given, name), f"{path}{name}", enum.values(), wrong)
        for name, enum in ENUMS.items()
    }
    return Targeting(given.country, **numbers)
