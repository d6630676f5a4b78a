"""A batch, its entries and its results as the store keeps them and callers see them.

Times are seconds since the epoch (wall clock), because they outlive the process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

from mailvet.model.callback import NO_CALLS, Callback, CallbackCalls
from mailvet.model.keeping import DEFAULT_RETENTION_S
from mailvet.model.ruling import NO_RULES, OverrideRule, TenantRules
from mailvet.model.status import BatchState, Deduplication, QualityLevel
from mailvet.model.targeting import Targeting

DEFAULT_PRIORITY = 127
"""The middle of 0-255: as much room to go faster as to go slower."""


class Removal(IntFlag):
    """Entries that the launch removes: they keep their index and get no result."""

    NOTHING = 0
    DUPLICATES = 1
    WRONG_FORMAT = 2
    WRONG_PHONE = 4
    """Those whose label `PHONE_LABEL` is there and empty."""


PHONE_LABEL = "phone (E.164)"
"""The label in which the preparation keeps what it made of a phone number."""

NO_PHONE = f'"{PHONE_LABEL}": ""'
"""What labels have in them, as JSON, when that is nothing; quotes in their texts are escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSpec:
    """What the caller asked for, with every default filled in."""

    name: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    quality: QualityLevel = QualityLevel.STANDARD
    priority: int = DEFAULT_PRIORITY
    deduplication: Deduplication = Deduplication.SAFE
    keep_last: bool = False
    rules: tuple[OverrideRule, ...] = ()
    """Looked through before those of the tenant."""
    targeting: Targeting = Targeting()  # noqa: RUF009 - a tuple
    retention_s: float = DEFAULT_RETENTION_S
    """After its end; then it is erased."""
    max_age_s: float = 0.0
    """How old an answer may be that the tenant got before; with 0 everything is asked."""
    max_shared_age_s: float = 0.0
    """How old one may be that any tenant got who shares; with 0 this one does not share."""
    callback: Callback | None = None
    removal: Removal = Removal.NOTHING
    bare_domains: bool = False
    """Whether an entry may be a domain instead of an address."""
    creator: str = ""
    """The id of the key that made it; empty where nobody needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch of one tenant."""

    key: int
    """The store's own number of the batch; never reused, never shown."""
    tenant: str
    batch_id: str
    spec: BatchSpec
    state: BatchState
    entry_count: int
    create_time: float
    launch_time: float | None = None
    end_time: float | None = None
    revision: int = 1
    """Counts what callers change: settings and, by their verbs, the state."""
    removed_count: int = 0
    """Entries that the launch removed; known once it was planned."""
    calls: CallbackCalls = NO_CALLS

    @property
    def etag(self) -> str:
        """Names the batch as a caller has seen it: its settings, its entries, what it was told."""
        return f"r{self.revision}.{self.entry_count}"

    @property
    def expire_time(self) -> float | None:
        """When it is erased; None as long as it has not ended."""
        return None if self.end_time is None else self.end_time + self.spec.retention_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How the work on a batch stands; read in one snapshot with its results."""

    entry_count: int
    result_count: int
    removed_count: int = 0
    """Entries that the launch removed: they get no result."""
    waiting_count: int = 0
    """Entries whose chunk waits for a later attempt."""
    next_attempt_at: float | None = None
    active_count: int = 0
    """Entries that a worker holds; what neither has a result nor waits nor is active is queued."""
    statuses: Mapping[int, int] = field(default_factory=dict)
    """Results by EntryStatus number."""
    classifications: Mapping[int, int] = field(default_factory=dict)
    """Results by Classification number; duplicates count under 0."""
    stored_bytes: int = 0
    """About how much its entries and results take in the store."""

    @property
    def open_count(self) -> int:
        """Entries that still get a result."""
        return self.entry_count - self.removed_count - self.result_count


class Entry(NamedTuple):
    """One entry as intake hands it to the store: parsed once, raw text kept."""

    input_data: str
    custom: str
    domain: str
    """The A-label domain, for grouping; empty when syntax or provider rules decide already."""
    key: int
    """63-bit hash of the duplicates key; 0 when the entry can be nobody's duplicate."""
    labels: str = ""
    """The other columns of its row in a file, a JSON object of texts; empty when there are none."""


class UploadedFile(NamedTuple):
    """A file with a list of addresses, kept with its batch."""

    name: str
    options: str
    """How it is to be read, as JSON; the store only keeps it."""
    size: int = 0
    """Bytes durably kept so far."""
    crc32c: int = 0
    """CRC-32C of them (RFC 3720 B.4)."""
    reading: str = ""
    """How it was read, as JSON; empty before it was."""


class ResultRow(NamedTuple):
    """One result as the store keeps it: stored bytes, and the few columns that are filtered on."""

    entry_index: int
    status: int
    classification: int
    doc: bytes
    """The encoded result without its evidence, as field 1 of a response: tag, length, message."""
    basic_length: int
    """How many leading bytes of that message are the BASIC view."""
    evidence: bytes = b""
    """More encoded fields, appended to the message for the EVIDENCE view."""


class Answered(NamedTuple):
    """One answer to a caller who waits: what it is charged by, and its row."""

    input_data: str
    status: int
    from_cache: bool
    row: ResultRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFilter:
    """Which results to read, as numbers; empty sets let everything through."""

    classifications: frozenset[int] = frozenset()
    exclude_classifications: frozenset[int] = frozenset()
    statuses: frozenset[int] = frozenset()
    exclude_statuses: frozenset[int] = frozenset()


class ResultPage(NamedTuple):
    """Results read in one snapshot."""

    rows: list[ResultRow]
    sequence: int
    """Everything up to here was read or filtered out: go on after it."""
    caught_up: bool
    """Whether nothing was committed beyond `sequence` at that moment."""
    state: BatchState
    """The batch's state at that moment."""
    docs: bytes = b""
    """In place of rows: the `doc` of each, side by side, and the seal if there is one."""


class EntryPlace(NamedTuple):
    """Where one entry stands."""

    row: ResultRow | None
    next_attempt_at: float | None


class WorkEntry(NamedTuple):
    """One entry to be worked on."""

    entry_index: int
    input_data: str
    custom: str
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A chunk of entries that one worker holds until its lease ends."""

    chunk: int
    fence: int
    """Changes with every claim: a finish with an old fence changes nothing."""
    batch_key: int
    tenant: str
    quality: QualityLevel
    attempt: int
    """How often these entries were visited before; 0 the first time."""
    first_attempt_at: float | None
    """When they were visited first; None the first time."""
    entries: tuple[WorkEntry, ...]
    rules: tuple[OverrideRule, ...] = ()
    """The override rules of the batch."""
    max_age_s: float = 0.0
    """How old an answer may be that the tenant got before."""
    max_shared_age_s: float = 0.0
    """How old one may be that any tenant got who shares."""
    bare_domains: bool = False
    """Whether an entry may be a domain instead of an address."""
    tenant_rules: TenantRules = NO_RULES
    """What the tenant had set when the chunk was claimed."""
    poisoned: bool = False
    """Whether processes died over it: it is to be answered without being worked on."""


class Deferral(NamedTuple):
    """Entries of a claim that wait for a later attempt; durable, never a sleeping task."""

    indexes: tuple[int, ...]
    run_at: float


class Settlement(NamedTuple):
    """What a worker has learnt about a claim so far; what it does not mention stays claimed."""

    claim: Claim
    results: list[ResultRow]
    deferrals: list[Deferral]
    recalled: frozenset[int] = frozenset()
    """The entries of those results that were answered from memory: they cost half."""
