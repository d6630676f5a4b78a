"""What callers decide themselves: override rules and classification schemes."""

from dataclasses import dataclass
from typing import NamedTuple

from mailvet.model.status import Classification, EntryStatus


class OverrideRule(NamedTuple):
    """Whatever matches gets its classification, and nobody is asked about it."""

    pattern: str
    """`*` and `?` stand for characters; without an at sign it is about the domain."""
    classification: Classification
    note: str = ""


class SchemeRow(NamedTuple):
    """What a status means to a tenant."""

    status: EntryStatus
    classification: Classification = Classification.UNSPECIFIED
    """UNSPECIFIED keeps the ordinary one."""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRules:
    """What a tenant has set for all its verifications."""

    overrides: tuple[OverrideRule, ...] = ()
    scheme: tuple[SchemeRow, ...] = ()
    revision: int = 0
    """Counts the updates; 0 when there never was one."""
    update_time: float | None = None
    """Seconds since the epoch."""

    @property
    def etag(self) -> str:
        """Names the revision to callers."""
        return f"r{self.revision}"


NO_RULES = TenantRules()
