"""What a list is meant for, from protobuf."""

from mailvet.errors import Violations
from mailvet.model.batch import PHONE_LABEL
from mailvet.model.countries import COUNTRIES
from mailvet.model.targeting import Targeting
from mailvet.rpc import rules
from mailvet.v1 import targeting_pb2 as pb

MAX_COLUMN_CHARACTERS = 255
"""Of the name of a column; spreadsheets take no longer ones."""

ENUMS = {
    "audience": pb.TargetAudience,
    "market_industry": pb.TargetMarketIndustry,
    "objective": pb.TargetObjective,
}
"""The enum of each field."""


def check_country(text: str, field: str, wrong: Violations) -> None:
    """Check that a country that is named is there."""
    if text and text not in COUNTRIES:
        wrong.add(
            field, f"no country is {text[:20]!r}; use two capital letters of ISO 3166-1, such as SG"
        )


def check_phones(column: str, country: str, path: str, wrong: Violations) -> None:
    """Check how phone numbers are to be looked at; `path` leads to the two fields."""
    rules.check_length(column, f"{path}phone_column", MAX_COLUMN_CHARACTERS, wrong)
    if column == PHONE_LABEL:
        told = "what is made of a phone number is kept there; name another one"
        wrong.add(f"{path}phone_column", told)
    check_country(country, f"{path}phone_country", wrong)
    if country and not column:
        wrong.add(f"{path}phone_country", "name the column of phone numbers in phone_column too")


def targeting(given: pb.Targeting, path: str, wrong: Violations) -> Targeting:
    """Return what was said; `path` leads to it in the request."""
    check_country(given.country, f"{path}country", wrong)
    numbers = {
        name: rules.number(getattr(given, name), f"{path}{name}", enum.values(), wrong)
        for name, enum in ENUMS.items()
    }
    return Targeting(given.country, **numbers)
