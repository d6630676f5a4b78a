"""What the engine asks of whoever encodes: whole results, and the parts that results share."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from mailvet.model.address import DomainName
from mailvet.model.batch import ResultRow
from mailvet.model.result import ListHit, Result, SmtpEvidence


class Names(NamedTuple):
    """The fields that are an entry's own."""

    entry_index: int
    input_data: str
    custom: str
    email_address: str
    local_part: str
    canonical: str
    tag: str


class Repeat(NamedTuple):
    """A plain duplicate."""

    entry_index: int
    address: str
    """As it was sent, which is as it is shown, and its canonical form too."""
    custom: str
    original: int
    """The index of the entry that is kept."""
    local_part: str
    domain: str


class Fault(NamedTuple):
    """A text that is no address."""

    entry_index: int
    text: str
    custom: str
    reason: str
    failure_index: int
    """Of the first character that is wrong."""


class Plain(NamedTuple):
    """A plain address that is no duplicate."""

    entry_index: int
    address: str
    """As it was sent, which is as it is shown, and its canonical form too."""
    custom: str
    local_part: str


class Encoder(Protocol):
    """Who turns results into rows; what it hands out for parts of them is its own affair."""

    def row(self, result: Result) -> ResultRow:
        """Return the row of a result that shares nothing."""
        ...

    def form(self, result: Result) -> Any:
        """Return what a result without its own fields shares with others."""
        ...

    def fits(self, names: Names) -> bool:
        """Whether an entry's names can be filled in."""
        ...

    def fill(
        self,
        form: Any,
        names: Names,
        now: float,
        basic: str,
        more: str,
        evidence: bytes,
    ) -> ResultRow | None:
        """Return the row of an entry answered at `now`: what it shares, its own, and the encoded
        fields and evidence that are beside both; None when its names do not fit."""
        ...

    def domain(self, domain: DomainName, mx_hosts: tuple[str, ...]) -> str:
        """Return the encoded fields about a domain."""
        ...

    def domain_evidence(self, dns_records: tuple[str, ...], made_up: str) -> bytes:
        """Return the encoded evidence about a domain; `made_up` is what `words` returned of the
        made-up mailbox, or empty."""
        ...

    def host(self, host: str, address: str) -> str:
        """Return who was heard, encoded, for `words`."""
        ...

    def voice(self, seen: SmtpEvidence) -> str:
        """Return an observation without who was heard and the words, encoded, for `words`."""
        ...

    def words(self, voice: str, text: str) -> str:
        """Return an encoded observation: `host` and `voice` together, and the words."""
        ...

    def mailbox_evidence(self, words: str) -> bytes:
        """Return the encoded evidence about a mailbox: what `words` returned of it."""
        ...

    def role(self, role: ListHit) -> bytes:
        """Return the encoded evidence of the role that a mailbox names."""
        ...

    def age(self, age_s: float) -> str:
        """Return the encoded age of an answer that was remembered, in seconds."""
        ...

    def explanation(self, text: str) -> str:
        """Return the encoded sentence about an answer."""
        ...

    def rare(
        self,
        *,
        duplicate_of: int | None,
        syntax_failure_index: int | None,
        suggestions: tuple[str, ...],
    ) -> str:
        """Return the encoded fields that few entries have."""
        ...


class PlainEncoder(Encoder, Protocol):
    """Who turns many alike into rows at once; their texts are ASCII and short."""

    def plain(
        self, form: Any, plain: Iterable[Plain], now: float, basic: str, more: str, evidence: bytes
    ) -> list[ResultRow]:
        """Return the rows of plain addresses answered at `now`, as `fill` does."""
        ...

    def repeats(
        self, forms: Mapping[str, Any], repeats: Iterable[Repeat], now: float, sentence: str
    ) -> list[ResultRow]:
        """Return the rows of duplicates answered at `now`; `forms` is by domain.

        `sentence` is about each, with `{original}` for the index of the entry that is kept.
        """
        ...

    def faults(
        self, forms: Mapping[str, Any], faults: Iterable[Fault], now: float
    ) -> list[ResultRow]:
        """Return the rows of texts that are no address, answered at `now`; `forms` is by reason."""
        ...
