"""The closed vocabularies of an answer: statuses, classifications, and the words beside them.

The numbers are those of `proto/mailvet/v1` (a test holds the two together), so a value can be
stored and sent without translation.
"""

from enum import IntEnum, StrEnum


class Classification(IntEnum):
    """What a caller should do with the address. Closed: it never grows."""

    UNSPECIFIED = 0
    DELIVERABLE = 1
    RISKY = 2
    UNDELIVERABLE = 3
    UNKNOWN = 4


class EntryStatus(IntEnum):
    """Why the answer is what it is. May grow; callers fall back to the classification."""

    UNSPECIFIED = 0
    SUCCESS = 1

    SERVER_IS_CATCH_ALL = 10
    SERVER_DOES_NOT_ALLOW_MULTIPLE_RECIPIENTS = 11
    MAILBOX_HAS_INSUFFICIENT_STORAGE = 12
    DOMAIN_IS_WELL_KNOWN_DEA = 13
    MAILBOX_IS_DEA = 14
    MAIL_EXCHANGER_IS_WELL_KNOWN_DEA = 15
    MAIL_EXCHANGER_IS_HONEYPOT = 16
    MAIL_EXCHANGER_IS_PARKED = 17

    MAILBOX_DOES_NOT_EXIST = 30
    MAILBOX_IS_DISABLED = 31
    RELAY_DENIED = 32
    DOMAIN_DOES_NOT_EXIST = 33
    DOMAIN_IS_MISCONFIGURED = 34
    DOMAIN_HAS_NULL_MX = 35
    SERVER_DOES_NOT_SUPPORT_INTERNATIONAL_MAILBOXES = 36

    AT_SIGN_NOT_FOUND = 50
    DOUBLE_DOT_SEQUENCE = 51
    INVALID_ADDRESS_LENGTH = 52
    INVALID_CHARACTER_IN_SEQUENCE = 53
    INVALID_EMPTY_QUOTED_WORD = 54
    INVALID_FOLDING_WHITE_SPACE_SEQUENCE = 55
    INVALID_LOCAL_PART_LENGTH = 56
    INVALID_WORD_BOUNDARY_START = 57
    UNBALANCED_COMMENT_PARENTHESIS = 58
    UNEXPECTED_QUOTED_PAIR_SEQUENCE = 59
    UNMATCHED_QUOTED_PAIR = 60
    DOMAIN_PART_COMPLIANCY_FAILURE = 61
    UNACCEPTABLE_DOMAIN_LITERAL = 62
    ISP_SPECIFIC_SYNTAX_FAILURE = 63

    DUPLICATE = 70
    OVERRIDE_MATCH = 71

    DNS_QUERY_TIMEOUT = 80
    DNS_CONNECTION_FAILURE = 81
    SMTP_CONNECTION_TIMEOUT = 82
    SMTP_CONNECTION_FAILURE = 83
    SMTP_DIALOG_ERROR = 84
    MAILBOX_VALIDATION_TIMEOUT = 85
    CATCH_ALL_VALIDATION_TIMEOUT = 86
    MAILBOX_TEMPORARILY_UNAVAILABLE = 87
    SERVER_TEMPORARY_UNAVAILABLE = 88
    LOCAL_END_POINT_REJECTED = 89
    LOCAL_SENDER_ADDRESS_REJECTED = 90
    LOCAL_EGRESS_UNAVAILABLE = 91
    UNHANDLED_EXCEPTION = 92
    DOMAIN_OPTED_OUT = 93
    UNKNOWN_USER_LIMIT = 94


class Fact(IntEnum):
    """A probed fact. NOT_LOOKED_AT is absence: the probe never got so far."""

    NOT_LOOKED_AT = 0
    YES = 1
    NO = 2
    INCONCLUSIVE = 3


class ProviderType(IntEnum):
    """What kind of mail provider stands behind the domain."""

    UNSPECIFIED = 0
    UNKNOWN = 1
    DISPOSABLE = 2
    PERSONAL = 3
    FREEMAIL = 4
    MASKED = 5
    CORPORATE = 6


class LocalPartType(IntEnum):
    """What kind of name stands before the at sign."""

    UNSPECIFIED = 0
    STANDARD = 1
    ROLE = 2
    PLUS_ADDRESSING = 3
    NUMERICAL = 4


class Category(IntEnum):
    """The coarse traffic light of an answer."""

    UNSPECIFIED = 0
    WHITE = 1
    GREY = 2
    BLACK = 3


class QualityLevel(IntEnum):
    """How hard to try: tries, deadlines, how long a greylisted mailbox is waited for."""

    UNSPECIFIED = 0
    STANDARD = 1
    HIGH = 2
    EXTREME = 3


class Deduplication(IntEnum):
    """How duplicates are recognised: not, without false ones, or by providers' modern rules."""

    UNSPECIFIED = 0
    OFF = 1
    SAFE = 2
    RELAXED = 3


class BatchState(IntEnum):
    """A batch's life cycle (AIP-216: -ING under way, -ED ended)."""

    UNSPECIFIED = 0
    DRAFT = 1
    RUNNING = 2
    COMPLETED = 3
    CANCELLED = 4
    PAUSED = 5


class Meaning(StrEnum):
    """What an SMTP reply means for the verdict, whoever it was said about."""

    MAILBOX_DOES_NOT_EXIST = "MAILBOX_DOES_NOT_EXIST"
    MAILBOX_DISABLED = "MAILBOX_DISABLED"
    MAILBOX_FULL = "MAILBOX_FULL"
    MAILBOX_TEMPORARILY_UNAVAILABLE = "MAILBOX_TEMPORARILY_UNAVAILABLE"
    SENDER_OR_CLIENT_REJECTED = "SENDER_OR_CLIENT_REJECTED"
    RATE_LIMITED = "RATE_LIMITED"
    SERVER_TEMPORARILY_UNAVAILABLE = "SERVER_TEMPORARILY_UNAVAILABLE"
    RELAY_DENIED = "RELAY_DENIED"
    DOMAIN_NOT_ACCEPTED = "DOMAIN_NOT_ACCEPTED"
    UNKNOWN = "UNKNOWN"


_DELIVERABLE = frozenset({EntryStatus.SUCCESS})
_RISKY = range(10, 30)
_UNDELIVERABLE = range(30, 70)


def classification_of(status: EntryStatus) -> Classification:
    """The classification a status belongs to; UNSPECIFIED for DUPLICATE and OVERRIDE_MATCH.

    A duplicate points to another entry and an override says itself what it means, so neither
    has a classification of its own.
    """
    if status in _DELIVERABLE:
        return Classification.DELIVERABLE
    if status in _RISKY:
        return Classification.RISKY
    if status in _UNDELIVERABLE:
        return Classification.UNDELIVERABLE
    if status in (EntryStatus.DUPLICATE, EntryStatus.OVERRIDE_MATCH, EntryStatus.UNSPECIFIED):
        return Classification.UNSPECIFIED
    return Classification.UNKNOWN
