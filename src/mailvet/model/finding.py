"""What a pure judge says of one observation, in a closed set of outcomes."""

from dataclasses import dataclass
from enum import StrEnum

from mailvet.model.status import Classification, EntryStatus


class Outcome(StrEnum):
    """How a check ended (the shape of RFC 8601 2.7 results)."""

    PASS = "PASS"
    FAIL = "FAIL"
    TEMPERROR = "TEMPERROR"
    """No answer that can be trusted now; may be tried again."""
    SKIPPED = "SKIPPED"
    """Not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's judgement."""

    check: str
    """The check that speaks: `syntax`, `domain`, `lists`, `mailbox`, `catch_all`."""
    outcome: Outcome
    status: EntryStatus | None = None
    """The status this finding argues for; None where it argues for none."""
    classification: Classification | None = None
    """What it means, where the status alone does not say (OVERRIDE_MATCH)."""
    rule: str = ""
    """The id of the rule, list row or reply table row that spoke."""
    retry: bool = False
    """Whether trying later may change the finding."""
