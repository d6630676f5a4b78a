"""Every exception a caller of mailvet may meet.

    MailvetError
    ├── InvalidRequest        fields of the request are wrong; carries every violation
    ├── NotFound              no such batch, result or key for this tenant
    │   └── Erased            the batch was there: says when it was erased
    ├── AlreadyExists         the id is taken
    ├── WrongState            the batch is not in a state that allows this
    ├── OffsetGap             an upload chunk leaves a hole; carries the expected offset
    ├── BadCursor             a cursor is damaged, of another batch or of another filter
    ├── BadPageToken          a page token is damaged or belongs to another request
    ├── CursorEpochPassed     the store was restored from a backup since the cursor was given
    ├── MessageTooLarge       a request message is larger than the server takes
    ├── ResultsExpired        the log before the cursor is gone; carries the oldest cursor
    ├── EtagMismatch          what is to be replaced was changed since it was read
    ├── RequestIdReused       the request_id was used with another body
    ├── Unauthenticated       no key, or one that is not valid
    │   └── SecondFactorNeeded the key opens nothing without a one-time code
    ├── PermissionDenied      the key is valid, its scopes do not reach
    ├── QuotaExceeded         a limit of the tenant is reached; says when to come back
    ├── InsufficientBalance   the tenant's units do not suffice; says how many are missing
    ├── Unavailable           the server cannot do this now; try again
    └── ConfigError           settings or command-line flags that cannot work
        └── StoreRefused      the store cannot be opened; says the way out
            └── StoreInUse    another process has it open

What goes wrong outside (DNS, exchangers) is never an exception: it is data (`model.reply`).
"""

from dataclasses import dataclass, field

from mailvet.model.usage import shown_units


class MailvetError(Exception):
    """Something the caller can be told; `reason` is the ErrorReason name on the wire."""

    reason = "UNSPECIFIED"

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata = metadata


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path, what is wrong with it, the limit and the way out."""

    field: str
    description: str
    reason: str = "FIELD_INVALID"


class InvalidRequest(MailvetError):
    """Fields of the request are wrong."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: list[Violation]) -> None:
        self.violations = violations
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(
            f"{first.field}: {first.description}{more}", violations=str(len(violations))
        )


class NotFound(MailvetError):
    """No such thing for this tenant; a foreign id and a missing id look the same."""

    reason = "NOT_FOUND"

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"{kind} {name!r} was not found", kind=kind, name=name)


class Erased(NotFound):
    """The batch was deleted or its retention is over; only its own tenant is told."""

    reason = "BATCH_ERASED"

    def __init__(self, kind: str, name: str, *, erase_time: str, entry_count: int) -> None:
        super().__init__(kind, name)
        told = f"{kind} {name!r} was erased at {erase_time} with its {entry_count} entries"
        self.args = (f"{told}; it cannot be brought back",)
        self.metadata |= {"erase_time": erase_time, "entry_count": str(entry_count)}


class AlreadyExists(MailvetError):
    """The id is taken."""

    reason = "ALREADY_EXISTS"

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"{kind} {name!r} exists already; choose another id", kind=kind, name=name)


class WrongState(MailvetError):
    """The batch is not in a state that allows this."""

    reason = "WRONG_STATE"

    def __init__(self, batch_id: str, state: str, needed: str, way_out: str) -> None:
        self.batch_id = batch_id
        super().__init__(
            f"batch {batch_id!r} is {state}, this needs {needed}; {way_out}",
            batch_id=batch_id,
            state=state,
            needed=needed,
        )


class OffsetGap(MailvetError):
    """An upload chunk starts after the next expected offset."""

    reason = "OFFSET_GAP"

    def __init__(self, offset: int, expected: int) -> None:
        super().__init__(
            f"offset {offset} leaves a gap: send entries from offset {expected}",
            offset=str(offset),
            expected=str(expected),
        )


class BadCursor(MailvetError):
    """A cursor is damaged, of another batch, or of another filter."""

    reason = "BAD_CURSOR"


class BadPageToken(MailvetError):
    """A page token is damaged or belongs to another request."""

    reason = "BAD_PAGE_TOKEN"


class MessageTooLarge(MailvetError):
    """A request message is larger than the server takes."""

    reason = "MESSAGE_TOO_LARGE"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"the request has {size} bytes, at most {limit} are taken; send less at a time",
            bytes=str(size),
            max_bytes=str(limit),
        )


class CursorEpochPassed(MailvetError):
    """The store was restored from a backup since the cursor was given."""

    reason = "CURSOR_EPOCH_PASSED"


class ResultsExpired(MailvetError):
    """The results before the cursor are gone."""

    reason = "RESULTS_EXPIRED"


class EtagMismatch(MailvetError):
    """What is to be replaced was changed since the etag was given; carries the one in force."""

    reason = "ETAG_MISMATCH"

    def __init__(self, etag: str) -> None:
        super().__init__(
            f"somebody changed it meanwhile, its etag is {etag!r} now; read it again", etag=etag
        )


class RequestIdReused(MailvetError):
    """The request_id was used before with another body."""

    reason = "REQUEST_ID_REUSED"


class Unauthenticated(MailvetError):
    """No key, or one that is not valid."""

    reason = "UNAUTHENTICATED"


class SecondFactorNeeded(Unauthenticated):
    """The key opens nothing without a one-time code."""

    reason = "SECOND_FACTOR_NEEDED"


class PermissionDenied(MailvetError):
    """The caller is known, but not allowed to do this."""

    reason = "PERMISSION_DENIED"

    def __init__(self, message: str, *, scope: str = "") -> None:
        """`scope` is the one that is missing; empty when another scope would not help."""
        super().__init__(message, **({"scope": scope} if scope else {}))


class QuotaExceeded(MailvetError):
    """A limit of the tenant is reached."""

    reason = "QUOTA_EXCEEDED"

    def __init__(self, message: str, *, subject: str, retry_after_s: float | None = None) -> None:
        self.subject = subject
        self.retry_after_s = retry_after_s
        super().__init__(message, subject=subject)


class InsufficientBalance(MailvetError):
    """The tenant's units do not suffice; nothing was begun."""

    reason = "INSUFFICIENT_BALANCE"

    def __init__(self, needed_halves: int, available_halves: int) -> None:
        """Both in halves of a unit."""
        needed, available, missing = (
            shown_units(halves)
            for halves in (needed_halves, available_halves, needed_halves - available_halves)
        )
        super().__init__(
            f"this may cost {needed} units and {available} are available: {missing} are missing;"
            " verify fewer entries, wait for tomorrow's free units, or ask the operator for more",
            needed_units=needed,
            available_units=available,
            missing_units=missing,
        )


class Unavailable(MailvetError):
    """The server cannot do this now; the same call may succeed later."""

    reason = "UNAVAILABLE"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, hindrance: str = "") -> None:
        """`hindrance` names what holds up all work, such as DISK_FULL; empty for anything else."""
        self.retry_after_s = retry_after_s
        self.hindrance = hindrance
        super().__init__(message, **({"hindrance": hindrance} if hindrance else {}))


class DeadlineTooShort(MailvetError):
    """The caller's deadline ran out before there was an answer."""

    reason = "DEADLINE_EXCEEDED"


class ConfigError(MailvetError):
    """Settings or flags that cannot work; the message names the setting and the way out."""

    reason = "CONFIG"


class StoreRefused(ConfigError):
    """The store cannot be opened; the message says the way out."""

    reason = "STORE_REFUSED"


class StoreInUse(StoreRefused):
    """Another process has the store open."""


@dataclass(slots=True)
class Violations:
    """Collects every wrong field before one `InvalidRequest` is raised."""

    found: list[Violation] = field(default_factory=list)

    def add(self, path: str, description: str, reason: str = "FIELD_INVALID") -> None:
        """Note that the field at `path` is wrong; `description` says the limit and the way out."""
        self.found.append(Violation(path, description, reason))

    def raise_if_any(self) -> None:
        """Raise `InvalidRequest` with all of them, if there are any."""
        if self.found:
            raise InvalidRequest(self.found)
