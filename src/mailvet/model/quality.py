"""What a quality level costs, and what it stands for on one server."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mailvet.model.status import QualityLevel

COST_UNITS: Mapping[QualityLevel, int] = MappingProxyType(
    {QualityLevel.STANDARD: 1, QualityLevel.HIGH: 2, QualityLevel.EXTREME: 3}
)
"""Units a verified entry costs: a level more is another round of sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTerms:
    """How hard a server tries at one quality level; times in seconds."""

    quality: QualityLevel
    retry_delays_s: tuple[float, ...]
    """The wait before each attempt after the first."""
    connect_s: float
    greeting_s: float
    command_s: float
    attempt_s: float
    """All addresses of all exchangers together."""
