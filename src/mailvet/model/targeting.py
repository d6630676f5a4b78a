"""What a list of addresses is meant for, as its owner says."""

from typing import NamedTuple


class Targeting(NamedTuple):
    """Numbers are those of `proto/mailvet/v1/targeting.proto`; 0 is not said."""

    country: str = ""
    """Two letters of ISO 3166-1."""
    audience: int = 0
    market_industry: int = 0
    objective: int = 0
