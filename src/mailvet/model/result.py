"""The whole answer about one entry, field for field as `proto/mailvet/v1/result.proto` has it.

The names and numbers are the proto's (a test holds the two together); a time is seconds since
the epoch; None and empty values are simply absent on the wire. Those made for every entry or
observation are not frozen, which would cost four times as much; nobody writes to them all the same.
"""

from dataclasses import dataclass

from mailvet.model.status import (
    Category,
    Classification,
    EntryStatus,
    Fact,
    LocalPartType,
    ProviderType,
    QualityLevel,
)


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """One named contribution to a risk score."""

    name: str
    points: int


@dataclass(unsafe_hash=True, slots=True, kw_only=True)
class SmtpEvidence:
    """One observation of an SMTP dialogue, in the words that are shown."""

    stage: str
    host: str
    address: str
    code: int = 0
    """0 when there was no reply."""
    enhanced_code: str = ""
    text: str = ""
    """Control characters escaped, cut at 512 characters."""
    trouble: str = ""
    meaning: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ListHit:
    """One row of a list that the address is on."""

    list: str
    row: str
    source: str = ""
    date: str = ""


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What an answer rests on."""

    dns_records: tuple[str, ...] = ()
    mailbox: SmtpEvidence | None = None
    made_up_mailbox: SmtpEvidence | None = None
    list_hits: tuple[ListHit, ...] = ()
    findings: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Result:
    """The answer about one entry."""

    index: int
    input_data: str
    custom: str = ""
    status: EntryStatus
    classification: Classification
    risk_score: int = 0
    """0 (no risk) to 100: the sum of `risk_points`, capped."""
    email_address: str = ""
    category: Category = Category.UNSPECIFIED
    duplicate_of: int | None = None
    complete_time: float | None = None
    suggestions: tuple[str, ...] = ()
    syntax_failure_index: int | None = None
    explanation: str = ""
    custom_classification: str = ""

    local_part: str = ""
    domain: str = ""
    ascii_domain: str = ""
    canonical: str = ""
    tag: str = ""
    has_international_mailbox_name: bool = False
    has_international_domain_name: bool = False
    provider_type: ProviderType = ProviderType.UNSPECIFIED
    mail_provider: str = ""
    mx_hosts: tuple[str, ...] = ()
    mx_valid: Fact = Fact.NOT_LOOKED_AT
    is_disposable: bool = False
    is_free: bool = False
    is_masked: bool = False
    local_part_type: LocalPartType = LocalPartType.UNSPECIFIED
    is_role_account: bool = False
    can_connect: Fact = Fact.NOT_LOOKED_AT
    is_deliverable: Fact = Fact.NOT_LOOKED_AT
    is_catch_all: Fact = Fact.NOT_LOOKED_AT
    has_full_inbox: Fact = Fact.NOT_LOOKED_AT
    is_disabled: Fact = Fact.NOT_LOOKED_AT
    risk_points: tuple[RiskPoint, ...] = ()
    attempts: int = 0
    quality: QualityLevel = QualityLevel.UNSPECIFIED
    warnings: tuple[str, ...] = ()
    from_cache: bool = False
    cache_age: float | None = None
    """In seconds."""
    evidence: Evidence | None = None
