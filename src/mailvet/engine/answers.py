"""From a case to the row that is kept, worked out once for all cases that end alike.

Thousands of entries of one domain differ in nothing but their names: what was found, what it
means and how it reads is the same. The first case of a kind makes a form, and it and all after it
fill it in. What is not plain goes the long way.
"""

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

from mailvet.engine.case import Case, DomainCard
from mailvet.engine.explain import explain
from mailvet.engine.judge import Judge, fault_of, find, may_change, smtp_evidence, suggestions_of
from mailvet.lists import Membership
from mailvet.model.batch import ResultRow
from mailvet.model.finding import Finding
from mailvet.model.reply import Observation, Reading
from mailvet.model.result import ListHit, OwnFields, Result, SmtpEvidence
from mailvet.model.status import EntryStatus
from mailvet.syntax import canonical, is_plain, tag_of
from mailvet.verdict import Verdict

MAX_KINDS = 8192
"""Kinds of cases remembered: some 10 MB of forms; a chunk has few, and lists repeat them."""

MAX_TEXTS = 8192
"""Texts of replies remembered: those that come again are not about one address."""


class Encoder(Protocol):
    """Who turns results into rows; a form is its own affair."""

    def row(self, result: Result) -> ResultRow:
        """Return the row of a result that shares nothing."""
        ...

    def form(self, result: Result) -> Any:
        """Return what a result without its own fields shares with others."""
        ...

    def fits(self, own: OwnFields) -> bool:
        """Whether an entry's own fields can be filled in."""
        ...

    def fill(self, form: Any, own: OwnFields, now: float, rare: bytes, words: bytes) -> ResultRow:
        """Return the row of an entry answered at `now`: what it shares, and its own."""
        ...

    def rare(
        self,
        *,
        duplicate_of: int | None,
        syntax_failure_index: int | None,
        suggestions: tuple[str, ...],
        explanation: str,
    ) -> bytes:
        """Return the encoded fields that few entries have of their own."""
        ...

    def words(self, mailbox: SmtpEvidence | None, role: ListHit | None) -> bytes:
        """Return the encoded evidence about one mailbox alone: what was said, the role it names."""
        ...


class Kind(NamedTuple):
    """What all cases of a kind have in common."""

    form: Any
    status: EntryStatus
    may_change: bool
    is_rare: bool
    """Whether each has rare fields of its own."""
    is_mistyped: bool
    """Whether each has suggestions of its own."""
    holds: tuple[object, ...]
    """What the key names by identity: as long as it is held nothing else can have that identity."""


class Answer(NamedTuple):
    """What is kept of a case, unless trying later may change it and is wanted."""

    row: ResultRow
    may_change: bool


class Answers:
    """Answers cases; remembers the kinds it met."""

    def __init__(self, judge: Judge, encoder: Encoder) -> None:
        self._judge = judge
        self._encoder = encoder
        self._kinds: dict[Hashable, Kind] = {}
        self._texts: set[str] = set()

    def of(self, case: Case, now: float) -> Answer:
        """Return the answer of a case as of `now`, in seconds since the epoch."""
        own = _own(case)
        if (
            case.ruling is not None
            or case.remembered_at is not None  # each has an age of its own
            or not self._encoder.fits(own)
        ):
            return self._long_way(case, now)
        has_words = self._has_words(case)
        key = _key(case, has_words=has_words)
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._learn(key, case, has_words=has_words)
        rare = self._rare(case, kind) if kind.is_rare else b""
        role = _role_of(case)
        words = self._words(case, role, has_words=has_words) if has_words or role else b""
        return Answer(self._encoder.fill(kind.form, own, now, rare, words), kind.may_change)

    def forget(self) -> None:
        """Drop what is remembered."""
        self._kinds.clear()
        self._texts.clear()

    def fault(self, case: Case, now: float) -> ResultRow:
        """Return the row of a case that could not be concluded for a fault of ours."""
        return self._encoder.row(fault_of(case, now))

    def _long_way(self, case: Case, now: float) -> Answer:
        findings, verdict = self._conclude(case)
        result = self._judge.result(case, findings, verdict, now=now)
        return Answer(self._encoder.row(result), may_change(findings, verdict))

    def _conclude(self, case: Case) -> tuple[list[Finding], Verdict]:
        findings = find(case)
        return findings, self._judge.verdict(case, findings)

    def _learn(self, key: Hashable, case: Case, *, has_words: bool) -> Kind:
        findings, verdict = self._conclude(case)
        result = self._judge.result(case, findings, verdict, now=0.0)
        is_rare = bool(
            has_words or case.fault or case.duplicate_of is not None or result.suggestions
        )
        # Whether an address has any depends on its domain; a fault's depend on the text.
        is_mistyped = bool(result.suggestions) or case.address is None
        _strip(result, is_rare=is_rare, has_words=has_words)
        kind = Kind(
            form=self._encoder.form(result),
            status=verdict.status,
            may_change=may_change(findings, verdict),
            is_rare=is_rare,
            is_mistyped=is_mistyped,
            holds=_held(case),
        )
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        self._kinds[key] = kind
        return kind

    def _has_words(self, case: Case) -> bool:
        """Whether what was said of the mailbox was not heard before, so may name the mailbox."""
        seen = case.seen
        if seen is None or seen.reply is None:
            return False
        text = seen.reply.text
        if text in self._texts:
            return False
        if len(self._texts) >= MAX_TEXTS:
            self._texts.clear()
        self._texts.add(text)
        return True

    def _rare(self, case: Case, kind: Kind) -> bytes:
        return self._encoder.rare(
            duplicate_of=case.duplicate_of,
            syntax_failure_index=case.fault.index if case.fault else None,
            suggestions=suggestions_of(case, self._judge.suggest) if kind.is_mistyped else (),
            explanation=explain(case, kind.status),
        )

    def _words(self, case: Case, role: ListHit | None, *, has_words: bool) -> bytes:
        mailbox = smtp_evidence(case.seen, case.reading) if has_words else None
        return self._encoder.words(mailbox, role)


def _own(case: Case) -> OwnFields:
    address = case.address
    if address is None:
        return OwnFields(case.entry_index, case.input_data, case.custom, "", "", "", "")
    local_part, domain = address
    email = f"{local_part}@{domain.unicode}"
    if is_plain(address):
        return OwnFields(
            case.entry_index, case.input_data, case.custom, email, local_part, email, ""
        )
    return OwnFields(
        case.entry_index,
        case.input_data,
        case.custom,
        email,
        local_part,
        canonical(address),
        tag_of(address),
    )


def _strip(result: Result, *, is_rare: bool, has_words: bool) -> None:
    """Take the entry's own fields out of a result that was made to be shared."""
    result.index = 0
    result.input_data = result.custom = result.email_address = ""
    result.local_part = result.canonical = result.tag = ""
    result.complete_time = None
    if is_rare:
        result.duplicate_of = result.syntax_failure_index = None
        result.suggestions = ()
        result.explanation = ""
    evidence = result.evidence
    if evidence is not None:
        if has_words:
            evidence.mailbox = None
        if result.is_role_account:
            evidence.list_hits = evidence.list_hits[:-1]


def _role_of(case: Case) -> ListHit | None:
    """The role that a local part names; the other hits are its domain's."""
    membership = case.membership
    if membership is None or membership.of_all_roles is None:
        return None
    return ListHit(*membership.hits[-1])


def _kin_of(case: Case) -> Membership | None:
    """The membership that all share who differ in nothing but the name of their role."""
    membership = case.membership
    return membership and (membership.of_all_roles or membership)


def _key(case: Case, *, has_words: bool) -> Hashable:
    """Everything an answer depends on but the entry's own fields."""
    address, card, fault, seen = case.address, case.card, case.fault, case.seen
    return (
        id(address.domain) if address is not None else 0,
        fault.reason if fault is not None else "",  # tells the status as well
        case.duplicate_of is not None,
        case.attempt + (1 if case.visits else 0),
        id(case.forced),  # a member of an enumeration lives for ever, and its hash is slow
        id(case.quality),
        id(case.policy),
        id(_kin_of(case)),
        () if card is None else _key_of_card(card),
        () if seen is None else _key_of_words(seen, case.reading, has_words=has_words),
    )


def _key_of_card(card: DomainCard) -> tuple[int, ...]:
    return (id(card), id(card.answer), id(card.catch_all), id(card.catch_all_seen))


def _key_of_words(
    seen: Observation, reading: Reading | None, *, has_words: bool
) -> tuple[object, ...]:
    stage, host, address, reply, trouble = seen
    said = None
    if reply is not None:
        said = (reply.code, reply.enhanced, "" if has_words else reply.text)
    return (id(stage), host, address, id(trouble), reading, said)


def _held(case: Case) -> tuple[object, ...]:
    """The objects that `_key` names by identity."""
    card = case.card
    of_card = () if card is None else (card, card.answer, card.catch_all_seen)
    domain = case.address.domain if case.address is not None else None
    return (domain, case.policy, _kin_of(case), *of_card)
